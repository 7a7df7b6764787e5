package wsclient_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// acknowledged are options of a peer that answers "ok:x", or "no:x" for a channel that it does not have.
func acknowledged(o wsclient.SubscribeOptions) wsclient.SubscribeOptions {
	o.AckMatch = func(m wsclient.Message) (string, error, bool) {
		verdict, key, ok := strings.Cut(string(m.Data), ":")
		if verdict == "no" {
			return key, errors.New("no such channel"), ok
		}
		return key, nil, ok
	}
	return o
}

// judge is such a peer. It answers after a second; channels beginning with "un" do not exist, and about those with "si"
// it says nothing.
func judge(c *wsconn.Conn) {
	for {
		_, data, err := c.Read(nil)
		if err != nil {
			return
		}
		var f struct{ Type, Channel string }
		_ = json.Unmarshal(data, &f)
		answer := "ok:"
		switch {
		case f.Type != "subscribe" || strings.HasPrefix(f.Channel, "si"):
			continue
		case strings.HasPrefix(f.Channel, "un"):
			answer = "no:"
		}
		time.Sleep(time.Second)
		for _, text := range []string{answer + f.Channel, answer + "stranger", "data of " + f.Channel} {
			if c.Write(wsconn.Text, []byte(text)) != nil {
				return
			}
		}
	}
}

func TestSubscribeAcknowledged(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(judge)
		m := w.connect(wsclient.Options{Subscribe: acknowledged(wsclient.SubscribeOptions{})})
		began := time.Now()
		must(t, m.Subscribe(t.Context(), channels("a", "b")...))
		if d := time.Since(began); d != 2*time.Second {
			t.Errorf("it took %v, want 2s", d)
		}
		err := m.Subscribe(t.Context(), channels("unknown")...)
		if !errors.Is(err, wsclient.Err) || !strings.Contains(err.Error(), "no such channel") {
			t.Errorf("error is %v", err)
		}
		late := want[*wsclient.TimeoutError](t, m.Subscribe(t.Context(), channels("silent")...))
		if late.Op != "subscribe" || late.Limit != 10*time.Second {
			t.Errorf("%#v", late)
		}
		diff(t, []string{"a", "b", "silent"}, keys(m))
		diff(t, []string{"data of a", "data of b", "data of unknown"}, take(w, m, 3))
	})
}

// What the peer refuses during a replay is told to the hook, and may end the connection.
func TestSubscribeRefusedDuringReplay(t *testing.T) {
	t.Parallel()
	for _, fail := range []bool{false, true} {
		t.Run(fmt.Sprintf("fail=%v", fail), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.serve(judge)
				var mu sync.Mutex
				refused := map[string]error{}
				m := w.connect(wsclient.Options{
					Subscribe: acknowledged(wsclient.SubscribeOptions{
						Initial: channels("a", "unknown", "silent"), FailConnection: fail, AckTimeout: time.Minute,
					}),
					Reconnect: wsclient.ReconnectOptions{Disabled: true},
					Hooks: wsclient.Hooks{OnSubscribeError: func(key string, err error) {
						mu.Lock()
						defer mu.Unlock()
						refused[key] = err
					}},
				})
				time.Sleep(time.Hour)
				mu.Lock()
				defer mu.Unlock()
				if fail {
					w.inState(m, wsclient.StateDisconnected)
					if len(refused) != 1 || refused["unknown"] == nil {
						t.Errorf("refused: %v", refused)
					}
					return
				}
				w.inState(m, wsclient.StateConnected)
				if len(refused) != 2 || refused["unknown"] == nil {
					t.Errorf("refused: %v", refused)
				}
				want[*wsclient.TimeoutError](t, refused["silent"])
				diff(t, []string{"a", "unknown", "silent"}, keys(m))
			})
		})
	}
}

// A call that waits for the answer sees connections go and come, and ends when there will be none.
func TestSubscribeWaitsAcrossConnections(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		srv := w.serve(judge)
		m := w.connect(wsclient.Options{
			Subscribe: acknowledged(wsclient.SubscribeOptions{AckTimeout: time.Hour}),
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
		})
		result := make(chan error, 1)
		go func() { result <- m.Subscribe(t.Context(), channels("a")...) }()
		time.Sleep(time.Millisecond)
		srv.DropConns()
		must(t, <-result)

		go func() { result <- m.Subscribe(t.Context(), channels("silent")...) }()
		synctest.Wait()
		must(t, m.Unsubscribe(t.Context(), "silent"))
		if err := <-result; !errors.Is(err, wsclient.ErrCanceled) {
			t.Errorf("after Unsubscribe: %v", err)
		}
		go func() { result <- m.Subscribe(t.Context(), channels("silent")...) }()
		synctest.Wait()
		must(t, m.Close())
		if err := <-result; !errors.Is(err, wsclient.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if err := m.Subscribe(t.Context(), channels("b")...); !errors.Is(err, wsclient.ErrClosed) {
			t.Errorf("Subscribe after Close: %v", err)
		}
	})
}

// Subscriptions that come and go before the peer has answered leave nothing behind.
func TestUnansweredSubscriptionsAreForgotten(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(judge)
		m := w.connect(wsclient.Options{Subscribe: acknowledged(wsclient.SubscribeOptions{AckTimeout: 2 * time.Second})})
		payload := &struct {
			Type, Channel string
			Large         []byte
		}{Type: "subscribe", Channel: "silent", Large: make([]byte, 1<<10)}
		kept := weak.Make(payload)
		late := m.Subscribe(t.Context(), wsclient.Subscription{Key: "silent", Payload: payload})
		want[*wsclient.TimeoutError](t, late)
		must(t, m.Unsubscribe(t.Context(), "silent"))
		must(t, m.Subscribe(t.Context(), channels("a")...))
		payload = nil
		runtime.GC()
		if kept.Value() != nil {
			t.Error("the subscription is still in memory")
		}
	})
}
