package wsconn_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// A peer that breaks the protocol is told so and gets nothing more; what came before is delivered, and nothing after.
func TestViolations(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("x"), 126)
	for name, bad := range map[string][]byte{
		"garbage":                bytes.Repeat([]byte{0xFF}, 64),
		"unknown opcode":         wstest.Frame{Opcode: 0x3}.Bytes(),
		"unknown control":        wstest.Frame{Opcode: 0xB}.Bytes(),
		"RSV1 uncompressed":      wstest.Frame{Opcode: 1, RSV: 4}.Bytes(),
		"RSV2":                   wstest.Frame{Opcode: 1, RSV: 2}.Bytes(),
		"RSV3":                   wstest.Frame{Opcode: 1, RSV: 1}.Bytes(),
		"fragmented ping":        wstest.Frame{Opcode: 9, More: true}.Bytes(),
		"long ping":              wstest.Frame{Opcode: 9, Payload: long}.Bytes(),
		"long pong":              wstest.Frame{Opcode: 10, Payload: long}.Bytes(),
		"long close":             wstest.CloseFrame(1000, string(long)).Bytes(),
		"lone continuation":      wstest.Frame{Opcode: 0, Payload: []byte("x")}.Bytes(),
		"close of one byte":      wstest.Frame{Opcode: 8, Payload: []byte{3}}.Bytes(),
		"length with a sign":     {0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0},
		"message in a message":   append(wstest.Frame{Opcode: 1, More: true}.Bytes(), wstest.Text("x").Bytes()...),
		"masked":                 wstest.Frame{Opcode: 1, Masked: true}.Bytes(),
		"masked control":         wstest.Frame{Opcode: 9, Masked: true}.Bytes(),
		"masked after fragments": append(wstest.Frame{Opcode: 1, More: true}.Bytes(), wstest.Frame{Masked: true}.Bytes()...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := make(chan wstest.Frame, 1)
			c := dialScript(t, nil, upgraded(func(s *wstest.Session) error {
				err := s.Raw(append(append(wstest.Text("before").Bytes(), bad...), wstest.Text("after").Bytes()...))
				f, _ := s.Next()
				answer <- f
				return errors.Join(err, s.Discard())
			}))
			if _, msg, err := c.Read(nil); err != nil || string(msg) != "before" {
				t.Fatalf("%q, %v", msg, err)
			}
			_, msg, err := c.Read(nil)
			e := want[*wsconn.ProtocolError](t, err)
			if msg != nil || e.ProtocolError == "" || e.CloseCode != 1002 || !errors.Is(err, errkit.Protocol) {
				t.Errorf("got %q, %+v", msg, e)
			}
			if code, _ := (<-answer).Close(); code != 1002 {
				t.Errorf("the peer was told %d", code)
			}
		})
	}
}

// However the bytes are cut up on their way, the messages are the same.
func TestReadInPieces(t *testing.T) {
	t.Parallel()
	frames := []wstest.Frame{
		wstest.Text("hello"),
		{Opcode: wstest.OpBinary, Payload: bytes.Repeat([]byte{1}, 200), More: true},
		wstest.Ping("p"),
		{Opcode: wstest.OpContinuation, More: true},
		{Opcode: wstest.OpContinuation, Payload: bytes.Repeat([]byte{2}, 70_000)},
		wstest.Text(""),
		wstest.CloseFrame(1000, "end"),
	}
	var stream []byte
	for _, f := range frames {
		stream = f.Append(stream)
	}
	expected := []string{"hello", string(append(bytes.Repeat([]byte{1}, 200), bytes.Repeat([]byte{2}, 70_000)...)), ""}
	for _, piece := range []int{1, 2, 3, 5, 7, 13, 100, 4095, 4096, 4097, 16 << 10, 1 << 20} {
		t.Run(fmt.Sprint(piece), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, n *netem.Network) {
				c, link := connectScript(t, n,
					wsconn.DialOptions{Options: wsconn.Options{ReadBuffer: 16 << 10}},
					upgraded(func(s *wstest.Session) error { return errors.Join(s.Raw(stream), s.Discard()) }))
				link.Chunk(netem.Down, piece)
				var got []string
				var buf []byte
				for {
					_, msg, err := c.Read(buf)
					if err != nil {
						if e := want[*wsconn.ClosedError](t, err); e.Reason != "end" {
							t.Errorf("got %v", err)
						}
						break
					}
					got = append(got, string(msg))
					buf = msg
				}
				if diff := cmp.Diff(expected, got); diff != "" {
					t.Error("-want +got", diff)
				}
			})
		})
	}
}

// A stream that is cut after any byte delivers the whole messages before the cut, nothing of those after it, and a typed
// error.
func TestReadCutAtEveryByte(t *testing.T) {
	frames := []wstest.Frame{
		wstest.Text("one"),
		{Opcode: wstest.OpText, Payload: []byte("tw"), More: true},
		wstest.Ping("ping"),
		{Opcode: wstest.OpContinuation, Payload: []byte("o")},
		wstest.Binary(make([]byte, 130)),
		wstest.CloseFrame(1001, "bye"),
	}
	var stream []byte
	var ends []int // of messages
	for i, f := range frames {
		stream = f.Append(stream)
		if i == 0 || i == 3 || i == 4 {
			ends = append(ends, len(stream))
		}
	}
	for _, mode := range []netem.CutMode{netem.FIN, netem.RST} {
		t.Run(mode.String(), func(t *testing.T) {
			for cut := range len(stream) {
				inBubble(t, func(t *testing.T, n *netem.Network) {
					c, link := connectScript(t, n, wsconn.DialOptions{}, upgraded(func(s *wstest.Session) error {
						if _, err := s.Next(); err != nil { // go ahead
							return err
						}
						return errors.Join(s.Raw(stream), s.Discard())
					}))
					link.CutAfter(netem.Down, int64(cut), mode)
					if err := c.Write(wsconn.Text, []byte("go ahead")); err != nil && cut > 0 {
						t.Fatal(err)
					}
					messages := 0
					for _, end := range ends {
						if cut >= end {
							messages++
						}
					}
					got := 0
					var err error
					for ; err == nil; got++ {
						_, _, err = c.Read(nil)
					}
					if got-1 != messages {
						t.Errorf("cut after %d bytes: %d messages instead of %d", cut, got-1, messages)
					}
					if e := want[*wsconn.ClosedError](t, err); e.Code != 1006 || !errors.Is(err, errkit.Disconnected) {
						t.Errorf("cut after %d bytes: %v", cut, err)
					}
				})
			}
		})
	}
}

// The buffer is the caller's: it is used from its beginning, and another one is made only if it is too small.
func TestReadBuffer(t *testing.T) {
	t.Parallel()
	c := dialScript(t, nil, sends(wstest.Text("12345678"), wstest.Text("123456789"), wstest.Text("12")))
	buf := make([]byte, 3, 8)
	for i, fits := range []bool{true, false, true} {
		_, msg, err := c.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if same := &msg[0] == &buf[:1][0]; same != fits {
			t.Errorf("message %d: same buffer is %t", i, same)
		}
	}
}
