package wsclient_test

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// question and reply belong together by their number. They travel as 4 bytes.
type (
	question             uint32
	reply                uint32
	fourBytes[T ~uint32] struct{}
)

func (fourBytes[T]) Encode(v T) (wsclient.MessageType, []byte, error) {
	return wsclient.Binary, binary.BigEndian.AppendUint32(nil, uint32(v)), nil
}

func (fourBytes[T]) Decode(m wsclient.Message) (T, error) {
	if len(m.Data) != 4 {
		return 0, errors.New("not 4 bytes")
	}
	return T(binary.BigEndian.Uint32(m.Data)), nil
}

var byNumber = wsclient.RequestOptions[question, reply]{Encode: fourBytes[question]{}, Decode: fourBytes[reply]{}}

func is(n reply) func(reply) bool { return func(r reply) bool { return r == n } }

func TestRequest(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(func(c *wsconn.Conn) { // answers two by two, the second first, with noise in between
			for {
				_, one, err := c.Read(nil)
				if err != nil {
					return
				}
				_, two, err := c.Read(nil)
				if err != nil || c.Write(wsconn.Binary, two) != nil || c.Write(wsconn.Text, []byte("noise")) != nil ||
					c.Write(wsconn.Binary, one) != nil {
					return
				}
			}
		})
		m := w.connect(wsclient.Options{})
		results := make(chan reply, 2)
		for n := range question(2) {
			go func() {
				r, err := wsclient.Request(t.Context(), m, n, is(reply(n)), &byNumber)
				if err != nil || r != reply(n) {
					t.Errorf("request %d: %d %v", n, r, err)
				}
				results <- r
			}()
			synctest.Wait()
		}
		diff(t, reply(1), <-results+<-results)
		diff(t, []string{"noise"}, take(w, m, 1))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := wsclient.Request(ctx, m, 3, is(3), &byNumber)
		late := want[*wsclient.TimeoutError](t, err)
		if late.Op != "request" {
			t.Errorf("%#v", late)
		}
		must(t, m.Send(t.Context(), wsclient.Binary, []byte{9, 9, 9, 9}))
		synctest.Wait()
		if s := m.Stats(); s.InboundDepth != 3 {
			t.Errorf("%d messages wait, want those of nobody, 3", s.InboundDepth)
		}
		_, err = wsclient.Request(t.Context(), m, make(chan int), func(int) bool { return true }, nil)
		want[*wsclient.ConfigError](t, err)
	})
}

func TestRequestAndLostConnections(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		lose := upgraded(func(s *wstest.Session) error {
			_, err := s.Next()
			return err
		})
		answer := upgraded(func(s *wstest.Session) error { return s.Echo() })
		w.play(lose, lose, lose, answer)
		m := w.connect(wsclient.Options{Reconnect: wsclient.ReconnectOptions{Backoff: steady}})
		_, err := wsclient.Request(t.Context(), m, 1, is(1), &byNumber)
		lost := want[*wsclient.ClosedError](t, err)
		if lost.Op != "request" || lost.Code != 1006 || !lost.Remote {
			t.Errorf("%#v", lost)
		}
		again := byNumber
		again.Retry = true
		r, err := wsclient.Request(t.Context(), m, 2, is(2), &again) // there is no connection at the moment
		if err != nil || r != 2 {
			t.Errorf("%d %v", r, err)
		}
		w.inState(m, wsclient.StateConnected)
		if g := m.Stats().Generation; g != 4 {
			t.Errorf("generation is %d, want 4", g)
		}

		result := make(chan error, 1)
		go func() {
			_, err := wsclient.Request(t.Context(), m, 3, func(reply) bool { panic("no good") }, &again)
			result <- err
		}()
		synctest.Wait()
		if p := m.Stats().CallbackPanics; p != 1 {
			t.Errorf("%d panics", p)
		}
		must(t, m.Close())
		if err := <-result; !errors.Is(err, wsclient.ErrClosed) {
			t.Error(err)
		}
	})
}

// A request that is to be sent again does not insist when the manager shuts down.
func TestRequestRetryDuringShutdown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		again := byNumber
		again.Retry = true
		w.play(upgraded(discard))
		m := w.connect(wsclient.Options{Send: wsclient.SendOptions{Mode: wsclient.SendAtLeastOnce, Ack: numbered()}})
		enqueue(t, m, 1, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		done := make(chan error)
		go func() { done <- m.Shutdown(ctx) }()
		synctest.Wait()
		began := time.Now()
		_, err := wsclient.Request(t.Context(), m, 1, is(1), &again)
		if !errors.Is(err, wsclient.ErrShuttingDown) || time.Since(began) != 0 {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		want[*wsclient.DrainError](t, <-done)
	})
}
