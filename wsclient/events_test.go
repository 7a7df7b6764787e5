package wsclient_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// story collects events as words until the loop ends, or stop of them.
func story(ctx context.Context, t *testing.T, m *wsclient.Manager, stop int) []string {
	t.Helper()
	var got []string
	for e, err := range m.Events(ctx) {
		full, gap := errors.AsType[*wsclient.QueueFullError](err)
		switch {
		case gap:
			got = append(got, fmt.Sprintf("-%d", full.DroppedCount))
		case err != nil:
			got = append(got, fmt.Sprintf("%T", err))
		case e.Kind == wsclient.EventMessage:
			got = append(got, string(e.Message.Data))
			if e.Gen != e.Message.Gen {
				t.Errorf("event of generation %d with message of %d", e.Gen, e.Message.Gen)
			}
		case e.Kind == wsclient.EventDisconnected:
			code := 0
			if e.Close != nil {
				code = e.Close.Code
			}
			got = append(got, fmt.Sprintf("disconnected %d: %d", e.Gen, code))
		default:
			got = append(got, fmt.Sprintf("%v %d", e.Kind, e.Gen))
		}
		if len(got) == stop {
			break
		}
	}
	return got
}

// closes sends messages and, after a second, a close frame.
func closes(code, from, to int) wstest.Script {
	return upgraded(func(s *wstest.Session) error {
		if err := sendNumbers(s, from, to); err != nil {
			return err
		}
		time.Sleep(time.Second)
		if err := s.Send(wstest.CloseFrame(code, "")); err != nil {
			return err
		}
		return s.Discard()
	})
}

func TestEventsAfterTheFact(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(closes(1001, 0, 2), closes(4000, 0, 0), closes(4001, 2, 4), counts(4, 5))
		m := w.connect(wsclient.Options{
			Receive:   wsclient.ReceiveOptions{MaxMessages: 4},
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1},
		})
		time.Sleep(time.Minute)
		must(t, m.Close())
		diff(t, []string{
			"connected 1", "0", "1", "disconnected 1: 1001", "connected 3", "2", "3", "-1",
			"disconnected 3: 4001", // nothing that came later is left to be placed
		}, story(t.Context(), t, m, 0))
	})
}

func TestEventsAsTheyHappen(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(closes(1001, 0, 2), closes(4000, 0, 0), counts(2, 3))
		m := w.manager(wsclient.Options{
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1},
		})
		told := make(chan []string, 2)
		go func() { told <- story(t.Context(), t, m, 0) }()
		must(t, m.Connect(t.Context()))
		time.Sleep(time.Minute)
		// A loop that begins now hears of the connection there is.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		diff(t, []string{"connected 3", "*wserr.TimeoutError"}, story(ctx, t, m, 0))
		diff(t, []string{"connected 3"}, story(t.Context(), t, m, 1))
		must(t, m.Close())
		diff(t, []string{
			"connected 1", "0", "1", "disconnected 1: 1001",
			"connected 2", "disconnected 2: 4000", "connected 3", "2", "disconnected 3: 1000",
		}, <-told)
	})
}

func TestEventsEndWithTheError(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(closes(4000, 0, 1))
		m := w.connect(wsclient.Options{Reconnect: wsclient.ReconnectOptions{Disabled: true}})
		time.Sleep(time.Minute)
		diff(t, []string{"connected 1", "0", "disconnected 1: 4000", "*wserr.ReconnectError"},
			story(t.Context(), t, m, 0))
	})
}

// TestEventsOfAHeldMessage: a message for which there was no room when its connection was lost comes before that end.
func TestEventsOfAHeldMessage(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(counts(0, 3), counts(3, 3))
		m := w.connect(wsclient.Options{
			Receive:   wsclient.ReceiveOptions{MaxMessages: 1, Overflow: wsclient.Block},
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1},
		})
		synctest.Wait() // the reader has no room for the second
		m.KillAndReconnect()
		synctest.Wait()
		diff(t, []string{"connected 1", "0", "1", "disconnected 1: 1006", "connected 2"}, story(t.Context(), t, m, 5))
	})
}

// TestEventsOfALateMessage: a message that is being taken in when this side ends the connection comes after the end, and
// is no second beginning.
func TestEventsOfALateMessage(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.play(counts(0, 1))
		looking, looked := make(chan struct{}), make(chan struct{})
		m := w.manager(wsclient.Options{
			Receive: wsclient.ReceiveOptions{Dedup: &wsclient.DedupOptions{Key: func(wsclient.Message) (string, bool) {
				close(looking)
				<-looked
				return "", false
			}}},
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1},
		})
		must(t, m.Connect(t.Context()))
		told, closed := make(chan []string, 1), make(chan error, 1)
		go func() { told <- story(t.Context(), t, m, 0) }()
		<-looking
		synctest.Wait() // the loop has been told of the beginning
		go func() { closed <- m.Close() }()
		synctest.Wait()
		close(looked)
		must(t, <-closed)
		diff(t, []string{"connected 1", "disconnected 1: 1000", "0"}, <-told)
	})
}
