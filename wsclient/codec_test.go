package wsclient_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/wsclient"
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
