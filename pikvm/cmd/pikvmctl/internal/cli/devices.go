package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func (a *app) devices() *cobra.Command {
	return a.command(&cobra.Command{
		Use:   "devices",
		Short: "List the devices of the configuration file",
		Example: `  pikvmctl devices
  pikvmctl atx --device rack1`,
		Args: cobra.NoArgs,
	}, func(context.Context, []string) error {
		file, err := a.file()
		if err != nil {
			return err
		}
		type device struct {
			Name    string `json:"name"`
			URL     string `json:"url"`
			Default bool   `json:"default"`
		}
		devices := []device{}
		for _, name := range file.Names() {
			devices = append(devices, device{name, file.Devices[name].URL, name == file.Default})
		}
		return a.printer().show(devices, func(w io.Writer) {
			for _, d := range devices {
				mark := ""
				if d.Default {
					mark = "default"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", d.Name, d.URL, mark)
			}
		})
	})
}
