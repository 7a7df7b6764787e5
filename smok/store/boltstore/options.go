package boltstore

import (
	"cmp"
	"log/slog"

	"github.com/fieldlink-go/fieldlink/smok/store"
)

// Options are the settings of a [Store]. The zero value is good for use.
type Options struct {
	// MaxBytes bounds keys and values together. What would be more is refused with a *smok.QueueFullError. The file
	// grows to about four times that, since it has room for what changes, and never shrinks. Zero means 32 MiB.
	MaxBytes int64

	// OnReport is told of everything that is lost or set aside, in order, from the goroutine that came upon it. It must
	// not call the store. Nil tells nobody.
	OnReport func(store.Report)

	// Logger gets what OnReport gets, as warnings. Nil discards.
	Logger *slog.Logger
}

// DefaultMaxBytes is the default of [Options.MaxBytes].
const DefaultMaxBytes = 32 << 20

func resolve(opts *Options) Options {
	var o Options
	if opts != nil {
		o = *opts
	}
	o.MaxBytes = cmp.Or(o.MaxBytes, DefaultMaxBytes)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
