package wsclient_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// tooSlow checks the error of an attempt that took its whole time.
func (tr *trial) tooSlow(err error, attempts int) {
	tr.Helper()
	e := want[*wsclient.TimeoutError](tr, err)
	if e.Op != "connect" || e.Limit != 30*time.Second || e.URL != tr.m.URL() || e.Attempts != attempts ||
		!errors.Is(e, os.ErrDeadlineExceeded) || errors.Is(e, wsclient.ErrConnection) {
		tr.Errorf("error is %#v: %v", e, e)
	}
}

// slowly answers the upgrade with a byte a second.
func slowly(s *wstest.Session) error {
	p, err := s.UpgradeBytes(nil)
	if err != nil {
		return err
	}
	_ = s.Trickle(p, 1, func() { time.Sleep(time.Second) }) // the client may have gone
	return s.Hold()
}

func TestFI06NoAnswerToHandshake(t *testing.T) { testHandshakeTimeout(t, hold) }

func TestFI07SlowAnswerToHandshake(t *testing.T) {
	testHandshakeTimeout(t, slowly)
	t.Run("within the limit", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(_ *testing.T, w *world) {
			w.play(slowly)
			w.try(wsclient.Options{Dial: wsclient.DialOptions{HandshakeTimeout: 5 * time.Minute}}).connect().ends()
		})
	})
}

func testHandshakeTimeout(t *testing.T, script wstest.Script) {
	t.Parallel()
	t.Run("first connection", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			w.play(script)
			tr := w.try(wsclient.Options{Reconnect: wsclient.ReconnectOptions{MaxInitialAttempts: 2, Backoff: steady}})
			began := time.Now()
			tr.tooSlow(tr.m.Connect(t.Context()), 2)
			if took := time.Since(began); took != 61*time.Second {
				t.Errorf("two attempts and a second took %v", took)
			}
			if w.open() != 0 || tr.m.State() != wsclient.StateDisconnected || len(tr.lost) != 0 {
				t.Errorf("%d connections are open, state %v, %d losses", w.open(), tr.m.State(), len(tr.lost))
			}
		})
	})
	t.Run("reconnect", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			w.play(upgraded(func(s *wstest.Session) error { return s.FIN() }), script, upgraded(echoes))
			tr := w.try(wsclient.Options{Reconnect: wsclient.ReconnectOptions{Backoff: steady}}).connect()
			tr.loss(wsclient.ReasonNetworkError)
			began := time.Now()
			f := <-tr.failed
			tr.tooSlow(f.Err, 0)
			if took := time.Since(began); took < 30*time.Second || took > 31*time.Second || !f.WillRetry {
				t.Errorf("failed after %v: %+v", took, f)
			}
			tr.recovers()
		})
	})
}
