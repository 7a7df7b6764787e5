package wsconn_test

import (
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func BenchmarkWrite(b *testing.B) {
	c := dialScript(b, nil, upgraded(discard))
	p := make([]byte, 128)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Write(wsconn.Binary, p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWriteBatch counts messages, not batches.
func BenchmarkWriteBatch(b *testing.B) {
	c := dialScript(b, nil, upgraded(discard))
	batch := make([]wsconn.Message, 256)
	for i := range batch {
		batch[i] = wsconn.Message{Type: wsconn.Binary, Data: make([]byte, 128)}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(batch) {
		if _, err := c.WriteBatch(batch); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"128B", 128}, {"4KiB", 4 << 10}} {
		b.Run(size.name, func(b *testing.B) {
			frame := wstest.Binary(make([]byte, size.n)).Bytes()
			var block []byte
			for len(block) < 64<<10 {
				block = append(block, frame...)
			}
			c := dialScript(b, nil, func(s *wstest.Session) error {
				if err := s.Upgrade(nil); err != nil {
					return err
				}
				for s.Raw(block) == nil {
				}
				return nil
			})
			var buf []byte
			b.ReportAllocs()
			for b.Loop() {
				_, msg, err := c.Read(buf)
				if err != nil {
					b.Fatal(err)
				}
				buf = msg
			}
		})
	}
}
