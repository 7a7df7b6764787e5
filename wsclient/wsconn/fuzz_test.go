package wsconn_test

import (
	"bytes"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// FuzzRead feeds any bytes to a reader as what a server sends: it gets whole messages and then a typed error, and takes
// little memory.
func FuzzRead(f *testing.F) {
	for _, frames := range [][]wstest.Frame{
		{wstest.Text("hello"), wstest.CloseFrame(1000, "bye")},
		{{Opcode: 1, Payload: []byte("a"), More: true}, wstest.Ping("p"), {Payload: []byte("b")}},
		{wstest.Text("\xff"), {Opcode: 3}, {Opcode: 1, RSV: 4, Payload: []byte("\xca\x48\xcd\xc9\xc9\x07\x00")}},
		{{Opcode: 2, Payload: make([]byte, 300), Masked: true}, wstest.CloseFrame(1005, "")},
		{{Opcode: 2, RSV: 4, Payload: bytes.Repeat([]byte{0xec, 0xc0}, 100)}},
	} {
		var p []byte
		for _, frame := range frames {
			p = frame.Append(p)
		}
		f.Add(p, false)
		f.Add(p, true)
	}
	f.Add([]byte{0x82, 127, 0, 0, 0x7F, 0, 0, 0, 0, 0, 1}, false)
	const limit = 1 << 16
	header := http.Header{"Sec-WebSocket-Extensions": {
		"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
	}}
	f.Fuzz(func(t *testing.T, stream []byte, compressed bool) {
		opts := &wsconn.DialOptions{
			Options: wsconn.Options{ReadLimit: limit, CloseTimeout: 10 * time.Millisecond},
			Proxy:   noProxy,
		}
		var extension http.Header
		if compressed {
			opts.Compression = wsconn.CompressionNoContextTakeover
			extension = header
		}
		mem := wstest.NewMemory()
		opts.DialContext = mem.DialContext
		peer, err := wstest.Play(&wstest.PeerOptions{Listener: mem}, func(s *wstest.Session) error {
			if err := s.Upgrade(extension); err != nil {
				return err
			}
			var sending sync.WaitGroup
			sending.Go(func() {
				s.Raw(stream)
				s.FIN()
			})
			err := s.Discard()
			sending.Wait()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		c, err := wsconn.Dial(t.Context(), peer.URL(), opts)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var buf []byte
		for {
			_, msg, err := c.Read(buf)
			if err != nil {
				if _, ok := err.(errkit.Error); !ok || errkit.KindOf(err) == 0 {
					t.Errorf("error is %T with kinds %v: %v", err, errkit.KindOf(err), err)
				}
				if _, ok := err.(net.Error); !ok {
					t.Errorf("error is %T", err)
				}
				break
			}
			if len(msg) > limit {
				t.Fatalf("message of %d bytes", len(msg))
			}
			buf = msg
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 16*limit+uint64(len(stream))*1024 {
			t.Errorf("took %d bytes for %d", took, len(stream))
		}
	})
}
