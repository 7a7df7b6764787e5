package netem_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
)

// BenchmarkThroughput writes on one goroutine and reads on another.
func BenchmarkThroughput(b *testing.B) {
	for _, size := range []int{128, 32 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			_, from, to := linkPair(b, &netem.Options{Window: 1 << 20})
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, to, make([]byte, 64<<10))
			}()
			b.ReportAllocs()
			b.SetBytes(int64(size))
			p := make([]byte, size)
			for b.Loop() {
				if _, err := from.Write(p); err != nil {
					b.Fatal(err)
				}
			}
			_ = from.Close()
			<-done
		})
	}
}

// BenchmarkRoundTrip sends a message there and back on one goroutine, with a new deadline each time.
func BenchmarkRoundTrip(b *testing.B) {
	_, x, y := linkPair(b, nil)
	p := make([]byte, 128)
	b.ReportAllocs()
	for b.Loop() {
		_ = x.SetDeadline(time.Now().Add(time.Minute))
		_, _ = x.Write(p)
		_, _ = y.Read(p)
		_, _ = y.Write(p)
		if _, err := x.Read(p); err != nil {
			b.Fatal(err)
		}
	}
}
