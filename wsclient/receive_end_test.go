package wsclient_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

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
