package wsclient_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// counts sends the texts from..to-1 and then takes what comes.
func counts(from, to int) wstest.Script {
	return upgraded(func(s *wstest.Session) error {
		if err := sendNumbers(s, from, to); err != nil {
			return err
		}
		return s.Discard()
	})
}

func sendNumbers(s *wstest.Session, from, to int) error {
	for i := from; i < to; i++ {
		if err := s.Send(wstest.Text(strconv.Itoa(i))); err != nil {
			return err
		}
	}
	return nil
}

// take receives n times and writes messages as their text and gaps as "-dropped".
func take(w *world, m *wsclient.Manager, n int) []string {
	w.Helper()
	var got []string
	for range n {
		msg, err := m.Receive(w.Context())
		full, gap := errors.AsType[*wsclient.QueueFullError](err)
		switch {
		case gap:
			got = append(got, fmt.Sprintf("-%d", full.DroppedCount))
		case err != nil:
			w.Fatalf("after %d messages: %v", len(got), err)
		default:
			got = append(got, string(msg.Data))
		}
	}
	return got
}

func TestQU01DropNewest(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		more := make(chan struct{})
		w.play(upgraded(func(s *wstest.Session) error {
			if err := sendNumbers(s, 0, 1500); err != nil {
				return err
			}
			<-more
			if err := sendNumbers(s, 1500, 1502); err != nil {
				return err
			}
			return s.Discard()
		}))
		var alerts []any
		m := w.connect(wsclient.Options{
			Receive: wsclient.ReceiveOptions{MaxMessages: 100},
			Hooks: wsclient.Hooks{OnAlert: func(_, _ string, context map[string]any) {
				alerts = append(alerts, context["dropped"])
			}},
		})
		synctest.Wait()
		time.Sleep(10 * time.Second)
		diff(t, numbers(0, 99), take(w, m, 100))
		_, err := m.Receive(t.Context())
		full := want[*wsclient.QueueFullError](t, err)
		if full.QueueSize != 100 || full.DroppedCount != 1400 || full.Direction != wsclient.Inbound {
			t.Errorf("gap is %+v", full)
		}
		close(more)
		got := take(w, m, 2)
		diff(t, numbers(1500, 1501), got)
		if s := m.Stats(); s.Dropped != 1400 || s.GapEvents != 1 || s.InboundHighWater != 100 {
			t.Errorf("dropped %d in %d places, high water %d", s.Dropped, s.GapEvents, s.InboundHighWater)
		}
		diff(t, []any{uint64(1), uint64(1399)}, alerts)
	})
}

func TestQU02DropOldest(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(counts(0, 1500))
		m := w.connect(wsclient.Options{
			Receive: wsclient.ReceiveOptions{MaxMessages: 100, Overflow: wsclient.DropOldest},
		})
		synctest.Wait()
		diff(t, append([]string{"-1400"}, numbers(1400, 1499)...), take(w, m, 101))
		if s := m.Stats(); s.Dropped != 1400 || s.GapEvents != 1 {
			t.Errorf("dropped %d in %d places", s.Dropped, s.GapEvents)
		}
	})
}

// flood sends numbered messages of 1 KiB until the connection ends, and counts them.
func flood(sent *atomic.Int64) func(*wsconn.Conn) {
	return func(c *wsconn.Conn) {
		go idle(c) // or nobody would answer pings
		data := make([]byte, 1024)
		for {
			copy(data, fmt.Sprintf("%8d", sent.Load()))
			if c.Write(wsconn.Binary, data) != nil {
				return
			}
			sent.Add(1)
		}
	}
}

// number reads the number of a message of flood.
func number(tb testing.TB, data []byte) int {
	tb.Helper()
	var n int
	if _, err := fmt.Sscanf(string(data[:8]), "%d", &n); err != nil {
		tb.Fatal(err)
	}
	return n
}

func TestQU03BlockKeepsEverything(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		var sent atomic.Int64
		w.serveOpts(wstest.Options{
			Handler: flood(&sent),
			Accept:  &wsconn.AcceptOptions{Options: wsconn.Options{WriteTimeout: -1}}, // it can wait
		})
		m := w.connect(wsclient.Options{Receive: wsclient.ReceiveOptions{
			MaxMessages: 100, Overflow: wsclient.Block, SlowConsumerTimeout: time.Hour,
		}})
		time.Sleep(10 * time.Minute)
		stuck := sent.Load()
		time.Sleep(10 * time.Minute)
		if now := sent.Load(); now != stuck || now > 400 {
			t.Errorf("the peer could send %d and then %d messages", stuck, now)
		}
		w.inState(m, wsclient.StateConnected)
		for i := range 5000 {
			msg, err := m.Receive(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n := number(t, msg.Data); n != i || msg.Seq != uint64(i+1) || msg.Gen != 1 {
				t.Fatalf("message %d of generation %d is number %d, want %d", msg.Seq, msg.Gen, n, i)
			}
		}
		if s := m.Stats(); s.Dropped != 0 || s.Disconnects != 0 {
			t.Errorf("%d dropped, %d disconnects", s.Dropped, s.Disconnects)
		}
	})
}

func TestQU03SlowConsumer(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(counts(0, 150), counts(1000, 1010))
		m := w.connect(wsclient.Options{
			Receive:   wsclient.ReceiveOptions{MaxMessages: 100, Overflow: wsclient.Block},
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
		})
		time.Sleep(29 * time.Second)
		w.inState(m, wsclient.StateConnected)
		time.Sleep(2 * time.Second)
		losses := w.log.lost()
		if len(losses) != 1 || losses[0].Reason != wsclient.ReasonSlowConsumer {
			t.Fatalf("losses: %+v", losses)
		}
		want[*wsclient.QueueFullError](t, losses[0].Err)
		time.Sleep(10 * time.Second)
		// The message for which there was no room is not lost, those behind it in the network are.
		diff(t, append(numbers(0, 100), numbers(1000, 1009)...), take(w, m, 111))
		if s := m.Stats(); s.Dropped != 0 || s.DisconnectsByReason[wsclient.ReasonSlowConsumer] != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestQU04Fail(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(counts(0, 150), counts(1000, 1001))
		m := w.connect(wsclient.Options{
			Receive:   wsclient.ReceiveOptions{MaxMessages: 100, Overflow: wsclient.Fail},
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
		})
		synctest.Wait()
		losses := w.log.lost()
		if len(losses) != 1 || losses[0].Reason != wsclient.ReasonSlowConsumer || !losses[0].WillReconnect {
			t.Fatalf("losses: %+v", losses)
		}
		full := want[*wsclient.QueueFullError](t, losses[0].Err)
		if full.QueueSize != 100 || full.DroppedCount != 1 {
			t.Errorf("%+v", full)
		}
		diff(t, numbers(0, 99), take(w, m, 100))
		time.Sleep(10 * time.Second)
		diff(t, []string{"-1", "1000"}, take(w, m, 2))
		if s := m.Stats(); s.Dropped != 1 || s.ReactiveDisconnects != 1 || s.Connects != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestQU05GapInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		overflow wsclient.Overflow
		want     []string
	}{
		{wsclient.DropNewest, append(numbers(50, 149), "-150", "300")},
		{wsclient.DropOldest, append([]string{"-151"}, numbers(201, 300)...)},
	} {
		t.Run(c.overflow.String(), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				steps := make(chan struct{})
				w.play(upgraded(func(s *wstest.Session) error {
					for _, step := range [][2]int{{0, 80}, {80, 300}, {300, 301}} {
						if err := sendNumbers(s, step[0], step[1]); err != nil {
							return err
						}
						<-steps
					}
					return s.Discard()
				}))
				m := w.connect(wsclient.Options{
					Receive: wsclient.ReceiveOptions{MaxMessages: 100, Overflow: c.overflow},
				})
				diff(t, numbers(0, 49), take(w, m, 50))
				steps <- struct{}{}
				synctest.Wait()
				var first []string
				if c.overflow == wsclient.DropNewest { // or the last would have no room
					first = take(w, m, 100)
				}
				steps <- struct{}{}
				synctest.Wait()
				diff(t, c.want, append(first, take(w, m, len(c.want)-len(first))...))
				close(steps)
			})
		})
	}
}

func TestQU06Bytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		overflow wsclient.Overflow
		want     []string
	}{
		{wsclient.DropNewest, append(numbers(10, 19), "-10")},
		{wsclient.DropOldest, append([]string{"-10"}, numbers(20, 29)...)},
	} {
		t.Run(c.overflow.String(), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				w.play(counts(10, 30))
				m := w.connect(wsclient.Options{Receive: wsclient.ReceiveOptions{
					MaxMessages: 1000, MaxBytes: 21, Overflow: c.overflow,
				}})
				synctest.Wait()
				if s := m.Stats(); s.InboundBytes != 20 || s.InboundDepth != 10 || s.Dropped != 10 {
					t.Errorf("%d bytes in %d messages wait, %d dropped", s.InboundBytes, s.InboundDepth, s.Dropped)
				}
				diff(t, c.want, take(w, m, 11))
			})
		})
	}
}

func TestNoGapErrors(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(counts(0, 30))
		m := w.connect(wsclient.Options{Receive: wsclient.ReceiveOptions{
			MaxMessages: 10, Overflow: wsclient.DropOldest, NoGapErrors: true,
		}})
		synctest.Wait()
		diff(t, numbers(20, 29), take(w, m, 10))
		if s := m.Stats(); s.Dropped != 20 {
			t.Errorf("%d dropped", s.Dropped)
		}
	})
}

func TestAutoParity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m    wsclient.Message
		want any
	}{
		{wsclient.Message{Type: wsclient.Text, Data: []byte(`123`)}, 123.0},
		{wsclient.Message{Type: wsclient.Text, Data: []byte(`"x"`)}, "x"},
		{wsclient.Message{Type: wsclient.Text, Data: []byte(`{"a":[1,null]}`)}, map[string]any{"a": []any{1.0, nil}}},
		{wsclient.Message{Type: wsclient.Text, Data: []byte(`true`)}, true},
		{wsclient.Message{Type: wsclient.Text, Data: []byte(`hello`)}, "hello"},
		{wsclient.Message{Type: wsclient.Text, Data: []byte(`{"a":1} x`)}, `{"a":1} x`},
		{wsclient.Message{Type: wsclient.Text, Data: []byte(``)}, ""},
		{wsclient.Message{Type: wsclient.Binary, Data: []byte(`123`)}, []byte(`123`)},
	} {
		if d := cmp.Diff(c.want, c.m.Auto()); d != "" {
			t.Errorf("%q: -want +got\n%s", c.m.Data, d)
		}
	}
}

func TestReceiveOptionsErrors(t *testing.T) {
	t.Parallel()
	inline := func(wsclient.Message) {}
	handler := func(context.Context, wsclient.Message) {}
	for field, o := range map[string]wsclient.Options{
		"Receive.MaxMessages":   {Receive: wsclient.ReceiveOptions{MaxMessages: -2}},
		"Receive.MaxBytes":      {Receive: wsclient.ReceiveOptions{MaxBytes: -1}},
		"Receive.Overflow":      {Receive: wsclient.ReceiveOptions{Overflow: 17}},
		"Receive.InlineHandler": {Receive: wsclient.ReceiveOptions{Handler: handler, InlineHandler: inline}},
		"Receive.Dedup.Key":     {Receive: wsclient.ReceiveOptions{Dedup: &wsclient.DedupOptions{}}},
		"Receive.Dedup.Window": {Receive: wsclient.ReceiveOptions{Dedup: &wsclient.DedupOptions{
			Key: func(wsclient.Message) (string, bool) { return "", false }, Window: -1,
		}}},
		"Subscribe.BatchSize":      {Subscribe: wsclient.SubscribeOptions{BatchSize: -1}},
		"Subscribe.Interval":       {Subscribe: wsclient.SubscribeOptions{Interval: -1}},
		"Subscribe.AckTimeout":     {Subscribe: wsclient.SubscribeOptions{AckTimeout: -1}},
		"Subscribe.FailConnection": {Subscribe: wsclient.SubscribeOptions{FailConnection: true}},
		"key":                      {Subscribe: wsclient.SubscribeOptions{Initial: []wsclient.Subscription{{}}}},
		"payload": {Subscribe: wsclient.SubscribeOptions{Initial: []wsclient.Subscription{
			{Key: "x", Payload: make(chan int)},
		}}},
	} {
		_, err := wsclient.New("ws://feed.test", &o)
		if e := want[*wsclient.ConfigError](t, err); e.Field != field {
			t.Errorf("field is %q, want %q", e.Field, field)
		}
	}
}
