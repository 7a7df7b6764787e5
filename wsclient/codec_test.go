package wsclient_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

type trade struct {
	ID    int     `json:"id"`
	Price float64 `json:"price"`
}

// sends sends texts after the upgrade and then takes what comes.
func sends(texts ...string) wstest.Script {
	return upgraded(func(s *wstest.Session) error {
		for _, text := range texts {
			if err := s.Send(wstest.Text(text)); err != nil {
				return err
			}
		}
		return s.Discard()
	})
}

var trades = []string{`{"id":1,"price":2.5}`, `{"id":"one"}`, `{"id":2,"x":0}`, `{"id":3} 4`, `nonsense`, `{"id":5}`}

func TestStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		codec wsclient.Codec[trade]
		want  []string
	}{
		{"default", nil, []string{"{1 2.5}", "bad", "{2 0}", "bad", "bad", "{5 0}"}},
		{"strict", wsclient.JSON[trade]{Strict: true}, []string{"{1 2.5}", "bad", "bad", "bad", "bad", "{5 0}"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.play(sends(trades...))
				m := w.connect(wsclient.Options{})
				synctest.Wait()
				must(t, m.Close())
				var got []string
				for v, err := range wsclient.Stream(t.Context(), m, c.codec) {
					if err == nil {
						got = append(got, fmt.Sprint(v))
						continue
					}
					bad := want[*wsclient.DecodeError](t, err)
					if string(bad.Data) != trades[len(got)] || bad.Type != "wsclient_test.trade" ||
						!errors.Is(err, wsclient.ErrDecode) || !errors.Is(err, wsclient.ErrProtocol) {
						t.Errorf("%#v", bad)
					}
					got = append(got, "bad")
				}
				diff(t, c.want, got)
			})
		})
	}
}

func TestSendAndReceiveJSON(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(wstest.Echo)
		m := w.connect(wsclient.Options{})
		must(t, wsclient.SendJSON(t.Context(), m, trade{ID: 7, Price: 1}))
		must(t, m.Send(t.Context(), wsclient.Text, []byte("[]")))
		got, err := wsclient.ReceiveJSON[trade](t.Context(), m)
		must(t, err)
		diff(t, trade{ID: 7, Price: 1}, got)
		_, err = wsclient.ReceiveJSON[trade](t.Context(), m)
		want[*wsclient.DecodeError](t, err)
		want[*wsclient.ConfigError](t, wsclient.SendJSON(t.Context(), m, make(chan int)))
		must(t, m.Close())
		_, err = wsclient.ReceiveJSON[trade](t.Context(), m)
		want[*wsclient.ClosedError](t, err)
	})
}

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
