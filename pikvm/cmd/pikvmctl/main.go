package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Here()))
}
