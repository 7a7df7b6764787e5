package pikvm

import (
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// Defaults of [EventOptions].
const (
	defaultEventBuffer  = 1024
	defaultSilence      = 15 * time.Second
	defaultReconnectCap = 30 * time.Second
)

// EventOptions configures a [Session]. The zero value is ready to use; the session copies it.
type EventOptions struct {
	// Stream makes the session count as a viewer of the video: the device runs its streamer only while there
	// is one.
	Stream bool

	// Buffer is the number of events kept for each reader that lags behind, 4 MiB of them at most. Beyond, the
	// oldest are dropped and an [EventDropped] takes their place. Zero means 1024.
	Buffer int

	// TextInput makes the session send input as JSON even to a device that takes the shorter binary form (version 4.53),
	// for the sake of whoever reads along.
	TextInput bool

	// SilenceTimeout is how long nothing at all may arrive before the connection counts as lost. After a third
	// of it the session sends a ping; the device sends pings too, every 15s. Zero means 15s, negative means
	// never.
	SilenceTimeout time.Duration

	// Backoff paces reconnecting. Its zero values mean from 1s to 30s, doubling, with full jitter, and from
	// the beginning after a connection that held for 10s.
	Backoff retry.Backoff

	// RetryFirst makes [Client.Events] try until its context ends when the first connection fails for a passing
	// reason (errkit.Transient). Otherwise it returns that failure.
	RetryFirst bool

	// OnRetry is called before each pause between two attempts to connect: the number of the attempt that
	// follows, counted from 1 since the last connection that held, the pause, and why it is needed. It runs in
	// the goroutine that connects: it must return soon, and must close neither the session nor the client.
	OnRetry func(attempt int, delay time.Duration, err error)
}

func (o *EventOptions) withDefaults() EventOptions {
	var opts EventOptions
	if o != nil {
		opts = *o
	}
	if opts.Buffer == 0 {
		opts.Buffer = defaultEventBuffer
	}
	if opts.SilenceTimeout == 0 {
		opts.SilenceTimeout = defaultSilence
	}
	if opts.Backoff.Cap <= 0 {
		opts.Backoff.Cap = defaultReconnectCap
	}
	return opts
}
