package wsconn_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// The tests of this file are about the facts of coder/websocket v1.8.15 that a user of a connection must not notice, or
// may rely on. A new version of the library has to pass them.

// A close frame that arrives is answered and becomes a ClosedError with its code; codes that must not be sent are a
// violation.
func TestF01CloseFrames(t *testing.T) {
	t.Parallel()
	legal := []int{0, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999}
	for _, code := range legal {
		t.Run(fmt.Sprint("legal ", code), func(t *testing.T) {
			t.Parallel()
			answer := make(chan wstest.Frame, 1)
			c := dialScript(t, nil, upgraded(func(s *wstest.Session) error {
				if err := s.Send(wstest.CloseFrame(code, reason(code))); err != nil {
					return err
				}
				f, err := s.Next()
				answer <- f
				return err
			}))
			_, _, err := c.Read(nil)
			e := want[*wsconn.ClosedError](t, err)
			expected := code
			if code == 0 {
				expected = 1005
			}
			if e.Code != expected || e.Reason != reason(code) || !e.Remote {
				t.Errorf("got code %d, reason %q, remote %t", e.Code, e.Reason, e.Remote)
			}
			if got, want := e.Kinds(), errkit.CloseKind(expected); got != want {
				t.Errorf("kinds are %v, want %v", got, want)
			}
			if websocket.CloseStatus(err) != websocket.StatusCode(expected) {
				t.Error("the library's own error cannot be reached")
			}
			if got, _ := (<-answer).Close(); got != code {
				t.Errorf("answered with %d", got)
			}
		})
	}
	for _, code := range []int{999, 1004, 1005, 1006, 1015, 2000, 2999, 5000, 65535} {
		t.Run(fmt.Sprint("illegal ", code), func(t *testing.T) {
			t.Parallel()
			c := dialScript(t, nil, sends(wstest.CloseFrame(code, "")))
			_, _, err := c.Read(nil)
			e := want[*wsconn.ProtocolError](t, err)
			if e.CloseCode != 1002 || e.ProtocolError == "" {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func reason(code int) string {
	if code == 0 {
		return ""
	}
	return "because"
}

// After an error of a read, the library would go on reading and writing. Here everything is over, with one error.
func TestF02FirstErrorIsTheLast(t *testing.T) {
	t.Parallel()
	c := dialScript(t, nil, upgraded(func(s *wstest.Session) error {
		return errors.Join(
			s.Send(wstest.Text("good")),
			s.Send(wstest.Frame{Opcode: 0x3, Payload: []byte("bad")}, wstest.Text("never seen")),
			s.Discard())
	}))
	if _, msg, err := c.Read(nil); err != nil || string(msg) != "good" {
		t.Fatal(string(msg), err)
	}
	_, _, first := c.Read(nil)
	want[*wsconn.ProtocolError](t, first)
	_, _, readErr := c.Read(nil)
	_, pingErr := c.Ping(t.Context())
	_, batchErr := c.WriteBatch([]wsconn.Message{{Type: wsconn.Text}})
	for name, err := range map[string]error{
		"Read": readErr, "Write": c.Write(wsconn.Text, nil), "WriteBatch": batchErr, "Ping": pingErr, "Err": c.Err(),
		"SetReadDeadline": c.SetReadDeadline(time.Time{}),
	} {
		if err != first {
			t.Errorf("%s: %v, want the first error", name, err)
		}
	}
	select {
	case <-c.Done():
	default:
		t.Error("not done")
	}
	if err := c.Close(1000, ""); err != nil {
		t.Error(err)
	}
}

// What ends without a close frame is an abnormal closure, and what it was can be told apart.
func TestF03EndsWithoutCloseFrame(t *testing.T) {
	t.Parallel()
	half := wstest.Frame{Opcode: wstest.OpText, Payload: bytes.Repeat([]byte("x"), 100)}.Bytes()
	fin := func(s *wstest.Session) error { return errors.Join(s.FIN(), s.Discard()) }
	for _, tt := range []struct {
		name  string
		bytes []byte
		end   wstest.Script
		cause error
	}{
		{"FIN between messages", nil, fin, io.EOF},
		{"FIN after a message", wstest.Text("whole").Bytes(), fin, io.EOF},
		{"FIN inside a header", half[:1], fin, io.ErrUnexpectedEOF},
		{"FIN after a header", half[:2], fin, io.ErrUnexpectedEOF},
		{"FIN inside a payload", half[:50], fin, io.ErrUnexpectedEOF},
		{"FIN before the last byte", half[:len(half)-1], fin, io.ErrUnexpectedEOF},
		{
			"FIN between fragments", wstest.Frame{Opcode: wstest.OpText, Payload: []byte("a"), More: true}.Bytes(),
			fin, io.ErrUnexpectedEOF,
		},
		{"RST between messages", nil, (*wstest.Session).RST, syscall.ECONNRESET},
		{"RST inside a payload", half[:5], (*wstest.Session).RST, syscall.ECONNRESET},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seen := make(chan struct{})
			c := dialScript(t, nil, upgraded(func(s *wstest.Session) error {
				err := s.Raw(tt.bytes)
				<-seen
				return errors.Join(err, tt.end(s))
			}))
			if tt.name == "FIN after a message" {
				if _, msg, err := c.Read(nil); err != nil || string(msg) != "whole" {
					t.Fatal(string(msg), err)
				}
			}
			close(seen)
			_, msg, err := c.Read(nil)
			if msg != nil {
				t.Errorf("delivered %q", msg)
			}
			e := want[*wsconn.ClosedError](t, err)
			if e.Code != 1006 || !e.Remote || !errors.Is(err, tt.cause) || !errors.Is(err, errkit.Disconnected) {
				t.Errorf("got %v with code %d, kinds %v, cause %v", err, e.Code, e.Kinds(), e.Unwrap())
			}
			if !errkit.Transient(err) {
				t.Error("not transient")
			}
		})
	}
}

// A message of the limit passes; one byte more ends the connection, and the peer learns why.
func TestF04ReadLimit(t *testing.T) {
	t.Parallel()
	fragments := func(n int) []wstest.Frame {
		p := make([]byte, n)
		return []wstest.Frame{
			{Opcode: wstest.OpBinary, Payload: p[:n/2], More: true},
			{Opcode: wstest.OpContinuation, Payload: p[n/2:]},
		}
	}
	for _, tt := range []struct {
		name    string
		limit   int64
		frames  []wstest.Frame
		size    int64 // 0 if the message passes
		limited int64
	}{
		{"default, at the limit", 0, []wstest.Frame{wstest.Binary(make([]byte, 1<<20))}, 0, 0},
		{"default, above", 0, []wstest.Frame{wstest.Binary(make([]byte, 1<<20+1))}, 1<<20 + 1, 1 << 20},
		{"small, at the limit", 10, []wstest.Frame{wstest.Binary(make([]byte, 10))}, 0, 0},
		{"small, above", 10, []wstest.Frame{wstest.Binary(make([]byte, 11))}, 11, 10},
		{"fragments, at the limit", 1000, fragments(1000), 0, 0},
		{"fragments, above", 1000, fragments(1001), 1001, 1000},
		{"off", -1, []wstest.Frame{wstest.Binary(make([]byte, 3<<20))}, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			answer := make(chan wstest.Frame, 1)
			c := dialScript(t, &wsconn.DialOptions{Options: wsconn.Options{ReadLimit: tt.limit}},
				upgraded(func(s *wstest.Session) error {
					err := s.Send(tt.frames...)
					f, _ := s.Next()
					answer <- f
					return err
				}))
			_, msg, err := c.Read(nil)
			if tt.size == 0 {
				if err != nil || len(msg) == 0 {
					t.Fatal(len(msg), err)
				}
				return
			}
			e := want[*wsconn.MessageTooBigError](t, err)
			if e.Size != tt.size || e.Limit != tt.limited || e.CloseCode != 1009 {
				t.Errorf("got size %d, limit %d, close code %d", e.Size, e.Limit, e.CloseCode)
			}
			want[*wsconn.ProtocolError](t, err)
			if !errors.Is(err, websocket.ErrMessageTooBig) || !errors.Is(err, errkit.TooLarge) {
				t.Error("wrong kind or cause")
			}
			if code, _ := (<-answer).Close(); code != 1009 {
				t.Errorf("the peer was told %d", code)
			}
		})
	}
}
