package inbox_test

import (
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/inbox"
)

// BenchmarkHandOver moves items from one goroutine to another.
func BenchmarkHandOver(b *testing.B) {
	b.ReportAllocs()
	q := inbox.New(inbox.Config{MaxMessages: 1000, Policy: inbox.Block}, func(v [10]int) int { return 80 })
	n := b.N
	go func() {
		for range n {
			for {
				if _, full := q.Put([10]int{}); !full {
					break
				}
				q.WaitRoom(nil)
			}
		}
		q.End(errEnd)
	}()
	ctx := b.Context()
	for {
		if _, _, err := q.Get(ctx); err != nil {
			return
		}
	}
}

// BenchmarkChannel is the same through a channel.
func BenchmarkChannel(b *testing.B) {
	b.ReportAllocs()
	c := make(chan [10]int, 1000)
	n := b.N
	go func() {
		for range n {
			c <- [10]int{}
		}
		close(c)
	}()
	for range c {
	}
}

// BenchmarkPutGet is the cost of an item without another goroutine.
func BenchmarkPutGet(b *testing.B) {
	b.ReportAllocs()
	q := inbox.New(inbox.Config{MaxMessages: 1000}, func(v [10]int) int { return 80 })
	ctx := b.Context()
	for b.Loop() {
		q.Put([10]int{})
		if _, _, err := q.Get(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
