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

func TestQU07ReadableAfterClose(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(counts(0, 20))
		m := w.connect(wsclient.Options{Receive: wsclient.ReceiveOptions{MaxMessages: 15}})
		synctest.Wait()
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		diff(t, numbers(0, 4), take(w, m, 5))
		var got []string
		for msg, err := range m.Messages(t.Context()) {
			if err != nil {
				full := want[*wsclient.QueueFullError](t, err)
				got = append(got, fmt.Sprintf("-%d", full.DroppedCount))
				continue
			}
			got = append(got, string(msg.Data))
		}
		diff(t, append(numbers(5, 14), "-5"), got)
		for range 3 {
			_, err := m.Receive(t.Context())
			want[*wsclient.ClosedError](t, err)
			if !errors.Is(err, wsclient.ErrClosed) {
				t.Error(err)
			}
		}
		for range m.Messages(t.Context()) {
			t.Error("something after the end")
		}
	})
}

func TestQU08QueueOutlivesConnections(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		cut := func(from, to int) wstest.Script {
			return upgraded(func(s *wstest.Session) error { return sendNumbers(s, from, to) })
		}
		w.play(cut(0, 10), cut(10, 20), counts(20, 30))
		m := w.connect(wsclient.Options{Reconnect: wsclient.ReconnectOptions{Backoff: steady}})
		time.Sleep(time.Minute)
		var gen uint64
		for i := range 30 {
			msg, err := m.Receive(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if string(msg.Data) != strconv.Itoa(i) || msg.Seq != uint64(i+1) || msg.Gen < gen {
				t.Errorf("message %d: %q with number %d of generation %d", i, msg.Data, msg.Seq, msg.Gen)
			}
			gen = msg.Gen
		}
		if gen != 3 {
			t.Errorf("last generation is %d, want 3", gen)
		}
	})
}

func TestQU09ReceiveTimeout(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(discard))
		m := w.connect(wsclient.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err := m.Receive(ctx)
		late := want[*wsclient.TimeoutError](t, err)
		if late.Op != "receive" || late.Limit != 10*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%#v", late)
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = m.Receive(canceled)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, wsclient.Err) {
			t.Error(err)
		}
		n := 0
		for _, err := range m.Messages(canceled) {
			n++
			if !errors.Is(err, context.Canceled) || !errors.Is(err, wsclient.Err) {
				t.Error(err)
			}
		}
		if n != 1 {
			t.Errorf("%d errors from the loop, want 1", n)
		}
		w.inState(m, wsclient.StateConnected)
		if s := m.Stats(); s.Disconnects != 0 {
			t.Errorf("%d disconnects", s.Disconnects)
		}
	})
}

func TestQU11CloseEndsReceivers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		m := w.manager(wsclient.Options{})
		received := make(chan error, 1)
		looped := make(chan int, 2)
		go func() {
			_, err := m.Receive(t.Context())
			received <- err
		}()
		go func() {
			n := 0
			for range m.Messages(t.Context()) {
				n++
			}
			looped <- n
		}()
		go func() {
			n := 0
			for range m.Events(t.Context()) {
				n++
			}
			looped <- n
		}()
		time.Sleep(time.Hour)
		began := time.Now()
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-received; !errors.Is(err, wsclient.ErrClosed) {
			t.Error(err)
		}
		for range 2 {
			if n := <-looped; n != 0 {
				t.Errorf("a loop yielded %d times", n)
			}
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v", d)
		}
	})
}

// After giving up, receivers get what is left and then the error, until the manager is told to connect again.
func TestReceiveAfterGivingUp(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		peer := w.play(upgraded(func(s *wstest.Session) error { return sendNumbers(s, 0, 3) }))
		m := w.connect(wsclient.Options{Reconnect: wsclient.ReconnectOptions{Disabled: true}})
		synctest.Wait()
		diff(t, numbers(0, 2), take(w, m, 3))
		for range 2 {
			_, err := m.Receive(t.Context())
			want[*wsclient.ReconnectError](t, err)
		}
		n := 0
		for _, err := range m.Messages(t.Context()) {
			n++
			want[*wsclient.ReconnectError](t, err)
		}
		if n != 1 {
			t.Errorf("%d errors from the loop, want 1", n)
		}
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		diff(t, numbers(0, 2), take(w, m, 3))
		if peer.Accepted() != 2 {
			t.Errorf("%d connections", peer.Accepted())
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
