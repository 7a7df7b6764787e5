package pikvm

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Log reads the journal of the device. All methods may be called from several goroutines at once.
type Log struct{ c *Client }

// LogOptions are the optional settings of [Log.Records].
type LogOptions struct {
	// Seek is how far to go back, in whole seconds. Zero means to the begin of the journal.
	Seek time.Duration

	// Follow goes on with what comes. The device looks for it every second, and silence is no error.
	Follow bool
}

// Records iterates over the records of the journal, oldest first. It ends with the journal, or never with Follow. When
// something goes wrong, the last pair has the error: [ErrDisabled] for a device that does not show its journal, and with
// Follow the end of ctx or [ErrClosed]. Leaving the loop ends the transfer. The client's Timeout limits only the wait for
// the begin; a deadline of ctx limits it all. Nil options are the defaults.
func (l *Log) Records(ctx context.Context, opts *LogOptions) iter.Seq2[LogRecord, error] {
	var o LogOptions
	if opts != nil {
		o = *opts
	}
	return func(yield func(LogRecord, error) bool) {
		s, err := l.open(ctx, o)
		if err != nil {
			yield(LogRecord{}, err)
			return
		}
		defer s.Close() //nolint:errcheck // always nil
		records := newLogReader(s)
		for {
			record, err := records.next()
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(LogRecord{}, err)
				return
			case !yield(record, nil):
				return
			}
		}
	}
}

func (l *Log) open(ctx context.Context, o LogOptions) (*stream, error) {
	const op = "log.Records"
	if o.Seek < 0 || o.Seek%time.Second != 0 {
		return nil, configurationError(op, "Seek", "negative, or not in whole seconds")
	}
	query := url.Values{}
	if o.Seek > 0 {
		query.Set("seek", strconv.FormatInt(int64(o.Seek/time.Second), 10))
	}
	p := pace{head: max(l.c.opts.Timeout, 0)}
	if o.Follow {
		query.Set("follow", "1")
	} else {
		p.stall = defaultStall
	}
	return l.c.open(ctx, &call{op: op, method: http.MethodGet, path: "/api/log", query: query}, p)
}
