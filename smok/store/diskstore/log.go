package diskstore

import (
	"context"
	"errors"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// log is a spool whose errors are those of module smok, with the spool's as their causes.
type log struct {
	spool *spool.Spool
	area  string
}

func openLog(dir, area string, opts *spool.Options) (store.Log, error) {
	s, err := spool.Open(dir, opts)
	if err != nil {
		return nil, smokerr.Store("store.open", area, err)
	}
	return &log{spool: s, area: area}, nil
}

// failure returns the error of op for that of the spool.
func (l *log) failure(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, spool.ErrClosed):
		return smokerr.Closed(op)
	case errors.Is(err, spool.ErrQueueFull):
		return smokerr.QueueFull(op, "records", int(l.spool.Len()))
	case errors.Is(err, spool.ErrMessageTooBig):
		return smokerr.InvalidArgument(op, "payload", "too long", err)
	case errors.Is(err, spool.ErrConfig):
		return smokerr.InvalidArgument(op, "seq", "no such record", err)
	}
	return smokerr.Store(op, l.area, err)
}

func (l *log) Append(ctx context.Context, e spool.Entry) (uint64, error) {
	seq, err := l.spool.Append(ctx, e)
	return seq, l.failure("store.append", err)
}

func (l *log) AppendBatch(ctx context.Context, entries []spool.Entry) (uint64, error) {
	first, err := l.spool.AppendBatch(ctx, entries)
	return first, l.failure("store.append", err)
}

func (l *log) PeekFrom(seq uint64, n int) ([]spool.Record, error) {
	records, err := l.spool.PeekFrom(seq, n)
	return records, l.failure("store.peek", err)
}

func (l *log) Remove(upTo uint64) error { return l.failure("store.remove", l.spool.Remove(upTo)) }

func (l *log) Quarantine(seq uint64, reason string) error {
	return l.failure("store.quarantine", l.spool.Quarantine(seq, reason))
}

func (l *log) Wait(ctx context.Context, seq uint64) error {
	return l.failure("store.wait", l.spool.Wait(ctx, seq))
}

func (l *log) Sync() error  { return l.failure("store.sync", l.spool.Sync()) }
func (l *log) Len() int64   { return l.spool.Len() }
func (l *log) Bytes() int64 { return l.spool.Bytes() }
func (l *log) Close() error { return l.failure("store.close", l.spool.Close()) }
