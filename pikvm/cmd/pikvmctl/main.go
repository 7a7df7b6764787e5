package main

import (
	"os"

	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{Use: "pikvmctl", Short: "Work PiKVM devices from the command line", SilenceUsage: true}
	if err := root.Execute(); err != nil {
		os.Exit(1)
	}
}
