package wsclient_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// channels returns subscriptions to channels.
func channels(names ...string) []wsclient.Subscription {
	var subs []wsclient.Subscription
	for _, n := range names {
		subs = append(subs, wsclient.Channel(n))
	}
	return subs
}

// frame is what the default codec writes.
func frame(op, channel string) string { return fmt.Sprintf(`{"type":%q,"channel":%q}`, op, channel) }

func frames(op string, names ...string) []string {
	list := []string{}
	for _, n := range names {
		list = append(list, frame(op, n))
	}
	return list
}

// keys returns the subscriptions of a manager.
func keys(m *wsclient.Manager) []string {
	list := []string{}
	for _, s := range m.Subscriptions() {
		list = append(list, s.Key)
	}
	return list
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSU01SubscribeWhileDown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		m := w.manager(wsclient.Options{Send: queued})
		must(t, m.Send(t.Context(), wsclient.Text, []byte("data")))
		must(t, m.Subscribe(t.Context(), channels("a", "b")...))
		must(t, m.Connect(t.Context()))
		synctest.Wait()
		diff(t, append(frames("subscribe", "a", "b"), "data"), r.texts())
		diff(t, []string{"a", "b"}, keys(m))
	})
}

func TestSU02SubscribeTwice(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		m := w.connect(wsclient.Options{})
		for range 3 {
			must(t, m.Subscribe(t.Context(), channels("a", "a")...))
		}
		synctest.Wait()
		diff(t, frames("subscribe", "a"), r.texts())
	})
}

func TestSU03Unsubscribe(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		m := w.manager(wsclient.Options{Subscribe: wsclient.SubscribeOptions{Initial: channels("a", "b", "c")}})
		must(t, m.Unsubscribe(t.Context(), "b", "unknown"))
		must(t, m.Connect(t.Context()))
		must(t, m.Unsubscribe(t.Context(), "unknown"))
		must(t, m.Unsubscribe(t.Context(), "c"))
		must(t, m.Unsubscribe(t.Context(), "c"))
		must(t, m.Subscribe(t.Context(), channels("c")...))
		synctest.Wait()
		diff(t, append(frames("subscribe", "a", "c"), frame("unsubscribe", "c"), frame("subscribe", "c")), r.texts())
		diff(t, []string{"a", "c"}, keys(m))
	})
}

func TestSU04DropDuringReplay(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		const n = 100
		var names []string
		for i := range n {
			names = append(names, fmt.Sprint("channel", i))
		}
		read := func(n int, got *[]string) wstest.Script {
			return upgraded(func(s *wstest.Session) error {
				for range n {
					f, err := s.Next()
					if err != nil {
						return err
					}
					*got = append(*got, string(f.Payload))
				}
				return nil
			})
		}
		var first, second, third []string
		w.play(
			upgraded(func(s *wstest.Session) error { return s.RST() }),
			read(40, &first), read(n, &second), read(n, &third), upgraded(discard))
		m := w.manager(wsclient.Options{
			Subscribe: wsclient.SubscribeOptions{Initial: channels(names...), Interval: time.Millisecond},
			Reconnect: wsclient.ReconnectOptions{Strategy: wsclient.Immediate},
		})
		must(t, m.Connect(t.Context()))
		time.Sleep(5 * time.Second)
		w.inState(m, wsclient.StateConnected)
		want := frames("subscribe", names...)
		diff(t, want[:40], first)
		diff(t, want, second)
		diff(t, want, third)
	})
}

func TestSU05SubscribeDuringReplay(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		m := w.manager(wsclient.Options{Subscribe: wsclient.SubscribeOptions{
			Initial: channels("a", "b", "c", "d"), Interval: time.Second,
		}})
		go func() {
			time.Sleep(1500 * time.Millisecond) // a and b are written
			var wg sync.WaitGroup
			wg.Go(func() { must(t, m.Subscribe(t.Context(), channels("x", "b")...)) })
			synctest.Wait()
			wg.Go(func() { must(t, m.Unsubscribe(t.Context(), "d")) })
			synctest.Wait()
			wg.Go(func() { must(t, m.Subscribe(t.Context(), channels("d")...)) })
			wg.Wait()
		}()
		must(t, m.Connect(t.Context()))
		time.Sleep(time.Minute)
		diff(t, append(frames("subscribe", "a", "b", "c", "d", "x"),
			frame("unsubscribe", "d"), frame("subscribe", "d")), r.texts())
		diff(t, []string{"a", "b", "c", "x", "d"}, keys(m))
	})
}

// Subscriptions that change all the time while connections come and go: on each connection a channel is subscribed to at
// most once at a time, and what the last one has is what the manager says.
func TestSU05Storm(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		var last map[string]bool
		w.serve(func(c *wsconn.Conn) {
			have := make(map[string]bool)
			mu.Lock()
			last = have
			mu.Unlock()
			for {
				_, data, err := c.Read(nil)
				if err != nil {
					return
				}
				var f struct{ Type, Channel string }
				if err := json.Unmarshal(data, &f); err != nil {
					t.Error(err)
				}
				mu.Lock()
				if have[f.Channel] == (f.Type == "subscribe") {
					t.Errorf("%s for %q, which was so already", f.Type, f.Channel)
				}
				have[f.Channel] = f.Type == "subscribe"
				mu.Unlock()
			}
		})
		m := w.connect(wsclient.Options{
			Subscribe: wsclient.SubscribeOptions{Interval: 100 * time.Microsecond},
			Reconnect: wsclient.ReconnectOptions{Strategy: wsclient.Immediate, MaxAttempts: wsclient.Unlimited},
		})
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 200 {
					key := fmt.Sprint(g%4, "-", i%10)
					if i%3 == 2 {
						must(t, m.Unsubscribe(t.Context(), key))
					} else {
						must(t, m.Subscribe(t.Context(), wsclient.Channel(key)))
					}
					time.Sleep(time.Millisecond)
				}
			})
		}
		wg.Go(func() {
			for range 20 {
				time.Sleep(7 * time.Millisecond)
				m.KillAndReconnect()
			}
		})
		wg.Wait()
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		var have []string
		for key, yes := range last {
			if yes {
				have = append(have, key)
			}
		}
		slices.Sort(have)
		want := keys(m)
		slices.Sort(want)
		diff(t, want, have)
	})
}

// batches is a codec that writes channels with commas.
type batches struct{}

func (batches) Encode(op wsclient.SubscriptionOp, keys []string) (wsclient.MessageType, []byte, error) {
	if slices.Contains(keys, "bad") {
		return 0, nil, errors.New("no such channel")
	}
	return wsclient.Text, []byte(string(op) + ":" + strings.Join(keys, ",")), nil
}

func TestSU06PayloadAndBatches(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		initial := append(channels("a", "b", "c", "d", "e"),
			wsclient.Subscription{Key: "custom", Payload: map[string]int{"id": 7}, Unsubscribe: "bye"},
			wsclient.Subscription{Key: "text", Payload: []byte("as it is")},
			wsclient.Subscription{Key: "binary", Payload: wsconn.Message{Type: wsclient.Binary, Data: []byte{0, 255}}})
		initial = append(initial, channels("f", "g")...)
		m := w.manager(wsclient.Options{Subscribe: wsclient.SubscribeOptions{
			Initial: initial, Codec: batches{}, BatchSize: 3,
		}})
		must(t, m.Connect(t.Context()))
		must(t, m.Unsubscribe(t.Context(), "custom", "text", "a", "b", "c", "d"))
		synctest.Wait()
		diff(t, []string{
			"subscribe:a,b,c", "subscribe:d,e", `{"id":7}`, "as it is", "\x00\xff", "subscribe:f,g",
			"bye", "unsubscribe:a,b,c", "unsubscribe:d",
		}, r.texts())
		if typ := r.msgs[4].Type; typ != wsclient.Binary {
			t.Errorf("the binary message is %v", typ)
		}

		err := m.Subscribe(t.Context(), channels("good", "bad")...)
		if !errors.Is(err, wsclient.ErrConfig) {
			t.Errorf("error is %v", err)
		}
		err = m.Subscribe(t.Context(), wsclient.Subscription{Key: "x", Payload: "\xff"})
		want[*wsclient.ConfigError](t, err)
		diff(t, []string{"e", "binary", "f", "g"}, keys(m))
	})
}

func TestSU06Throttle(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var times []time.Duration
		began := time.Now()
		w.serve(func(c *wsconn.Conn) {
			for {
				if _, _, err := c.Read(nil); err != nil {
					return
				}
				times = append(times, time.Since(began))
			}
		})
		m := w.manager(wsclient.Options{Subscribe: wsclient.SubscribeOptions{
			Initial: channels("a", "b", "c"), Interval: time.Second,
		}})
		must(t, m.Connect(t.Context()))
		must(t, m.Subscribe(t.Context(), channels("d")...))
		synctest.Wait()
		diff(t, []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second}, times)
	})
}

func TestSU07DefaultCodec(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		m := w.connect(wsclient.Options{})
		must(t, m.Subscribe(t.Context(), wsclient.Channel("x")))
		must(t, m.Unsubscribe(t.Context(), "x"))
		must(t, m.Subscribe(t.Context(), wsclient.Channel(`q"<ü`)))
		synctest.Wait()
		got := r.texts()
		diff(t, []string{`{"type":"subscribe","channel":"x"}`, `{"type":"unsubscribe","channel":"x"}`}, got[:2])
		var f map[string]string
		must(t, json.Unmarshal([]byte(got[2]), &f))
		diff(t, map[string]string{"type": "subscribe", "channel": `q"<ü`}, f)
	})
}
