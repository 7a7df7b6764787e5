package backlog_test

import (
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/backlog"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// lazyLog is a log that has not written down yet what was removed: a new one on the same records has them again.
type lazyLog struct {
	store.Log
	removed uint64
}

func (l *lazyLog) Remove(upTo uint64) error {
	l.removed = max(l.removed, upTo)
	return nil
}

func (l *lazyLog) PeekFrom(seq uint64, n int) ([]store.Record, error) {
	return l.Log.PeekFrom(max(seq, l.removed+1), n)
}

// TestWhatWasRemovedIsNotSentAgain: a crash brings back records that the log was told to remove. The hub has them.
func TestWhatWasRemovedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]backlog.Options{
		"nothing is kept": {BatchValues: 10},
		"some are kept":   {BatchValues: 10, Retention: 500, MaxAge: 1000 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, backlog.Options{})
			records := p.store.Trend
			for life := range 3 {
				p.store.Trend = &lazyLog{Log: records}
				p.open(opts)
				p.drain()
				if len(p.got) > 0 {
					t.Errorf("after restart %d the hub got %v again", life, p.got)
				}
				p.add("W1", false, 100*life, 100*life+55)
				p.drain()
				p.want("W1", 100*life, 100*life+55)
			}
		})
	}
}
