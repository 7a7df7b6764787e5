//go:build !race

package wsconn_test

import (
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// Messages cost no allocations, in either direction, on either side. Not under the race detector, whose pools forget.
func TestAllocs(t *testing.T) {
	for _, size := range []struct {
		name string
		n    int
	}{{"128 B", 128}, {"4 KiB", 4 << 10}, {"100 KiB", 100 << 10}} {
		t.Run(size.name, func(t *testing.T) {
			p := make([]byte, size.n)
			c := dialScript(t, nil, upgraded(discard))
			expectNone(t, "Write", func() error { return c.Write(wsconn.Text, p) })
			batch := make([]wsconn.Message, min(100, 1<<20/size.n))
			for i := range batch {
				batch[i] = wsconn.Message{Type: wsconn.Binary, Data: p}
			}
			expectNone(t, "WriteBatch", func() error { _, err := c.WriteBatch(batch); return err })

			frame := wstest.Text(string(p)).Bytes()
			c = dialScript(t, nil, upgraded(func(s *wstest.Session) error {
				for s.Raw(frame) == nil {
				}
				return nil
			}))
			var buf []byte
			expectNone(t, "Read", func() error {
				_, msg, err := c.Read(buf)
				buf = msg
				return err
			})
		})
	}
}

func expectNone(t *testing.T, what string, fn func() error) {
	t.Helper()
	var err error
	allocs := testing.AllocsPerRun(200, func() {
		if failed := fn(); failed != nil {
			err = failed
		}
	})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if allocs != 0 {
		t.Errorf("%s: %v allocations", what, allocs)
	}
}
