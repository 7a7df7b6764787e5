package wsclient_test

import (
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// caused returns a condition for errors with a cause.
func caused(cause error) func(error) bool {
	return func(err error) bool { return errors.Is(err, cause) }
}

// resets sends bytes after the upgrade and cuts the connection.
func resets(p []byte) wstest.Script {
	return upgraded(func(s *wstest.Session) error {
		if _, err := s.Next(); err != nil { // the client is there
			return err
		}
		return errors.Join(s.Raw(p), s.RST())
	})
}

// finishes sends bytes after the upgrade and closes its direction.
func finishes(p []byte) wstest.Script {
	return upgraded(func(s *wstest.Session) error {
		return errors.Join(s.Raw(p), s.FIN(), s.Discard())
	})
}

func (tr *trial) greets() {
	tr.Helper()
	if err := tr.m.Send(tr.Context(), wsconn.Text, []byte("hello")); err != nil {
		tr.Fatal(err)
	}
}

func TestFI01ResetWhileIdle(t *testing.T) {
	t.Parallel()
	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		tr := tryReal(t, wsclient.Options{}, resets(nil), upgraded(echoes))
		tr.greets()
		tr.abnormal(caused(syscall.ECONNRESET))
		tr.recovers()
	})
	t.Run("time to reconnect", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			w.serve(nil)
			tr := w.try(wsclient.Options{}).connect()
			time.Sleep(time.Minute) // the connection is stable
			began := time.Now()
			w.net.ResetAll()
			tr.abnormal(caused(syscall.ECONNRESET))
			tr.recovers()
			if took := time.Since(began); took > time.Second {
				t.Errorf("took %v", took)
			}
		})
	})
}

func TestFI02ResetInsideFrame(t *testing.T) {
	t.Parallel()
	frame := wstest.Binary(make([]byte, 100)).Bytes()
	for name, n := range map[string]int{"in the header": 1, "before the payload": 2, "in the payload": 5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := wstest.Text("whole").Bytes()
			tr := tryReal(t, wsclient.Options{}, resets(slices.Concat(whole, frame[:n])), upgraded(echoes))
			tr.greets()
			tr.abnormal(caused(syscall.ECONNRESET))
			tr.delivers("whole")
			tr.recovers()
		})
	}
}

func TestFI03EndWithoutCloseFrame(t *testing.T) {
	t.Parallel()
	tr := tryReal(t, wsclient.Options{}, finishes(wstest.Text("the last one").Bytes()), upgraded(echoes))
	tr.abnormal(caused(io.EOF))
	tr.delivers("the last one")
	tr.recovers()
}

func TestFI04EndInsideMessage(t *testing.T) {
	t.Parallel()
	first := wstest.Frame{Opcode: wstest.OpText, Payload: []byte("one, "), More: true}.Bytes()
	second := wstest.Frame{Opcode: wstest.OpContinuation, Payload: []byte("two, "), More: true}.Bytes()
	ping := wstest.Ping("in between").Bytes()
	for name, p := range map[string][]byte{
		"after a fragment":        first,
		"after two":               slices.Concat(first, second),
		"after a ping in between": slices.Concat(first, ping),
		"in the second's header":  slices.Concat(first, second[:1]),
		"in the second's payload": slices.Concat(first, second[:4]),
		"in the first's payload":  first[:4],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(_ *testing.T, w *world) {
				w.play(finishes(p), upgraded(echoes))
				tr := w.try(wsclient.Options{}).connect()
				tr.abnormal(caused(io.ErrUnexpectedEOF))
				tr.recovers()
			})
		})
	}
}

// A peer that has closed its direction and still reads is lost: nobody could see its answers.
func TestFI23HalfClose(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]wsclient.SendMode{"direct": wsclient.SendDirect, "queued": wsclient.SendQueued} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				frames := 0
				w.play(upgraded(func(s *wstest.Session) error {
					if err := s.FIN(); err != nil {
						return err
					}
					for {
						if _, err := s.Next(); err != nil {
							return nil
						}
						frames++
					}
				}), upgraded(echoes))
				tr := w.try(wsclient.Options{Send: wsclient.SendOptions{Mode: mode}}).connect()
				tr.abnormal(caused(io.EOF))
				synctest.Wait()
				if frames > 0 || w.open() > 1 {
					t.Errorf("%d frames went to the peer, %d connections are open", frames, w.open())
				}
				tr.recovers()
				if up := w.net.Bytes(netem.Up); up > 4096 {
					t.Errorf("%d bytes were written", up)
				}
			})
		})
	}
}
