package wsclient_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// misbehaves sends a good message, then p, then another message, and notes what the client sends last.
func misbehaves(header http.Header, p []byte, last chan<- wstest.Frame) wstest.Script {
	return func(s *wstest.Session) error {
		if err := s.Upgrade(header); err != nil {
			return err
		}
		s.Send(wstest.Text("before"))
		s.Raw(p)
		_ = s.Send(wstest.Text("after")) // the client may have closed the connection
		var f wstest.Frame
		for {
			next, err := s.Next()
			if err != nil {
				last <- f
				return nil
			}
			f = next
		}
	}
}

// rejected waits for a loss that is the peer's fault, and checks what the peer was told.
func (tr *trial) rejected(code int, last <-chan wstest.Frame) wsclient.DisconnectInfo {
	tr.Helper()
	info := tr.loss(wsclient.ReasonProtocolError)
	e := want[*wsclient.ProtocolError](tr, info.Err)
	if e.ProtocolError == "" || e.CloseCode != code || info.Close.Code != code || info.Close.Remote {
		tr.Errorf("error is %#v, Close is %+v", e, info.Close)
	}
	f := <-last
	if told, _ := f.Close(); f.Opcode != wstest.OpClose || told != code {
		tr.Errorf("the peer was told %d in %v, want %d", told, f, code)
	}
	return info
}

func TestFI11Violations(t *testing.T) {
	t.Parallel()
	frames := map[string]wstest.Frame{
		"unknown opcode 3":         {Opcode: 3, Payload: []byte("x")},
		"unknown opcode 11":        {Opcode: 11},
		"RSV1 without compression": {Opcode: wstest.OpText, RSV: 4, Payload: []byte("x")},
		"RSV2":                     {Opcode: wstest.OpText, RSV: 2, Payload: []byte("x")},
		"RSV3":                     {Opcode: wstest.OpBinary, RSV: 1, Payload: []byte("x")},
		"RSV1 of a ping":           {Opcode: wstest.OpPing, RSV: 4},
		"fragmented ping":          {Opcode: wstest.OpPing, More: true},
		"oversized ping":           {Opcode: wstest.OpPing, Payload: make([]byte, 126)},
		"oversized close":          {Opcode: wstest.OpClose, Payload: append([]byte{3, 232}, make([]byte, 124)...)},
		"lone continuation":        {Opcode: wstest.OpContinuation, Payload: []byte("x")},
		"close payload of a byte":  {Opcode: wstest.OpClose, Payload: []byte{3}},
		"masked":                   {Opcode: wstest.OpText, Masked: true, Key: [4]byte{1, 2, 3, 4}, Payload: []byte("x")},
	}
	for _, code := range []int{999, 1004, 1005, 1006, 1015, 2000, 5000} {
		frames[fmt.Sprint("close code ", code)] = wstest.CloseFrame(code, "")
	}
	bad := map[string][]byte{
		"garbage": bytes.Repeat([]byte{0xFF}, 64),
		"new message inside a message": append(
			wstest.Frame{Opcode: wstest.OpText, More: true, Payload: []byte("x")}.Bytes(), wstest.Text("y").Bytes()...),
	}
	for name, f := range frames {
		bad[name] = f.Bytes()
	}
	for name, p := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				last := make(chan wstest.Frame, 1)
				w.play(misbehaves(nil, p, last), upgraded(echoes))
				tr := w.try(wsclient.Options{}).connect()
				tr.rejected(1002, last)
				if w.open() != 0 {
					t.Errorf("%d connections are open", w.open())
				}
				tr.delivers("before")
				tr.recovers()
			})
		})
	}
}

func TestFI12NotUTF8(t *testing.T) {
	t.Parallel()
	bad := wstest.Text("bad \xff")
	t.Run("checked", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(_ *testing.T, w *world) {
			last := make(chan wstest.Frame, 1)
			w.play(misbehaves(nil, bad.Bytes(), last), upgraded(echoes))
			tr := w.try(wsclient.Options{}).connect()
			tr.rejected(1007, last)
			tr.delivers("before")
			tr.recovers()
		})
	})
	t.Run("not checked", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(_ *testing.T, w *world) {
			w.play(upgraded(func(s *wstest.Session) error { s.Send(bad); return s.Echo() }))
			tr := w.try(wsclient.Options{Conn: wsconn.Options{SkipUTF8: true}}).connect()
			tr.delivers("bad \xff")
			tr.works(1)
			tr.ends()
		})
	})
}

func TestFI13MessageTooBig(t *testing.T) {
	t.Parallel()
	const limit = 1000
	opts := wsclient.Options{Conn: wsconn.Options{ReadLimit: limit}}
	allowed := string(bytes.Repeat([]byte("x"), limit))
	t.Run("limit", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(_ *testing.T, w *world) {
			w.play(upgraded(func(s *wstest.Session) error { s.Send(wstest.Text(allowed)); return s.Echo() }))
			tr := w.try(opts).connect()
			tr.delivers(allowed)
			tr.works(1)
			tr.ends()
		})
	})
	tooBig := wstest.Text(allowed + "x").Bytes()
	check := func(tr *trial, info wsclient.DisconnectInfo) {
		tr.Helper()
		e := want[*wsclient.MessageTooBigError](tr, info.Err)
		if e.Size != limit+1 || e.Limit != limit {
			tr.Errorf("error: %#v", e)
		}
	}
	t.Run("limit and a byte", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(_ *testing.T, w *world) {
			last := make(chan wstest.Frame, 1)
			w.play(misbehaves(nil, tooBig, last), upgraded(echoes))
			tr := w.try(opts).connect()
			check(tr, tr.rejected(1009, last))
			tr.delivers("before")
			tr.recovers()
		})
	})
	t.Run("three in a row", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			last := make(chan wstest.Frame, 3)
			w.play(misbehaves(nil, tooBig, last))
			tr := w.try(opts).connect()
			for range 2 {
				check(tr, tr.rejected(1009, last))
			}
			<-tr.m.Done()
			if info := <-tr.lost; info.WillReconnect || info.Reason != wsclient.ReasonProtocolError {
				t.Errorf("OnDisconnect: %+v", info)
			}
			e := want[*wsclient.ReconnectError](t, tr.m.Err())
			if want[*wsclient.MessageTooBigError](t, e); !e.Terminal || w.net.Count() != 3 {
				t.Errorf("%v after %d connections", e, w.net.Count())
			}
		})
	})
}

// deflated says that both ends compress each message on its own.
var deflated = http.Header{"Sec-Websocket-Extensions": {
	"permessage-deflate; server_no_context_takeover; client_no_context_takeover",
}}

// A bomb of a GiB in a MiB: not parallel, because it looks at the memory that the whole process takes.
func TestFI14DecompressionBomb(t *testing.T) {
	const limit = 4 << 20
	var block bytes.Buffer
	z, _ := flate.NewWriter(&block, flate.BestCompression) // the level is valid
	z.Write(make([]byte, 1<<20))
	z.Flush()                                                 // so that it can be repeated
	bomb := bytes.Repeat(block.Bytes(), 1<<10)                // a GiB
	bomb = bytes.TrimSuffix(bomb, []byte("\x00\x00\xff\xff")) // RFC 7692, section 7.2.1
	frame := wstest.Frame{Opcode: wstest.OpBinary, RSV: 4, Payload: bomb}.Bytes()
	inBubble(t, func(t *testing.T, w *world) {
		last := make(chan wstest.Frame, 1)
		w.play(misbehaves(deflated, frame, last), upgraded(echoes))
		tr := w.try(wsclient.Options{
			Conn: wsconn.Options{ReadLimit: limit, Compression: wsconn.CompressionNoContextTakeover},
		})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		tr.connect()
		info := tr.rejected(1009, last)
		runtime.ReadMemStats(&after)
		if e := want[*wsclient.MessageTooBigError](t, info.Err); e.Limit != limit {
			t.Errorf("error: %v", e)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 4*limit {
			t.Errorf("%d MiB were allocated", grown>>20)
		}
		tr.delivers("before")
		tr.recovers()
	})
}

func TestFI15CorruptDeflate(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string][]byte{
		"block of an unknown type": {0xFF, 0xFF, 0xFF, 0xFF},
		"distance before the data": {0x03, 0x42, 0x00, 0x11, 0x22},
		"stored with wrong length": {0x01, 0x05, 0x00, 0x00, 0x00, 'h', 'e', 'l', 'l', 'o'},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(_ *testing.T, w *world) {
				last := make(chan wstest.Frame, 1)
				p := wstest.Frame{Opcode: wstest.OpBinary, RSV: 4, Payload: payload}.Bytes()
				w.play(misbehaves(deflated, p, last), upgraded(echoes))
				tr := w.try(wsclient.Options{
					Conn: wsconn.Options{Compression: wsconn.CompressionNoContextTakeover},
				}).connect()
				tr.rejected(1002, last)
				tr.delivers("before")
				tr.recovers()
			})
		})
	}
}

func TestFI16PingFlood(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		n := size(20_000, 4000, 20_000)
		pongs := make(chan int, 1)
		w.play(upgraded(func(s *wstest.Session) error {
			go func() {
				for i := range n {
					s.Send(wstest.Ping(fmt.Sprint(i)))
					if i%100 == 99 {
						s.Send(wstest.Text(fmt.Sprint(i / 100)))
					}
				}
			}()
			for count, answered := 0, -1; answered < n-1; {
				f, err := s.Next()
				if err != nil {
					return err
				}
				var i int
				if _, err := fmt.Sscan(string(f.Payload), &i); err != nil || f.Opcode != wstest.OpPong || i <= answered {
					return fmt.Errorf("%v after the pong of %d", f, answered)
				}
				if count++; i == n-1 {
					pongs <- count
				}
				answered = i
			}
			return s.Echo()
		}))
		tr := w.try(wsclient.Options{}).connect()
		for i := range n / 100 {
			tr.delivers(fmt.Sprint(i))
		}
		if count := <-pongs; count < 1 || count > n {
			t.Errorf("%d pongs", count)
		}
		tr.works(1)
		tr.ends()
	})
}

func TestFI17UnsolicitedPongs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(func(s *wstest.Session) error {
			for _, payload := range []string{"", "nobody asked", string(make([]byte, 125))} {
				s.Send(wstest.Pong(payload))
			}
			f, err := s.Next()
			if err != nil {
				return err
			}
			s.Send(wstest.Pong("another")) // before the right one
			time.Sleep(time.Second)
			s.Send(wstest.Pong(string(f.Payload)), wstest.Pong(string(f.Payload)))
			return s.Echo()
		}))
		tr := w.try(wsclient.Options{}).connect()
		time.Sleep(30 * time.Second)
		if rtt := tr.m.Stats().RTT; rtt.Count != 1 || rtt.Last != time.Second || len(tr.lost) > 0 {
			t.Errorf("%+v, %d losses", rtt, len(tr.lost))
		}
		tr.works(1)
		tr.ends()
	})
}
