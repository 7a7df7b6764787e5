package wsclient_test

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// timedOut waits for a loss that a limit found out, and checks its error.
func (tr *trial) timedOut(reason wsclient.DisconnectReason, op string, limit time.Duration) {
	tr.Helper()
	info := tr.loss(reason)
	e := want[*wsclient.TimeoutError](tr, info.Err)
	if e.Op != op || e.Limit != limit || !e.Timeout() || !errors.Is(e, os.ErrDeadlineExceeded) || info.Close.Code != 1006 {
		tr.Errorf("error is %#v: %v", e, e)
	}
}

func TestFI05PeerVanishes(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]netem.CutMode{"writes get lost": netem.Swallow, "writes block": netem.Silence} {
		for _, c := range []struct {
			name      string
			at, found time.Duration // since the connection was made
		}{
			{"at once", 0, 30 * time.Second},
			{"before a ping", 39 * time.Second, 50 * time.Second},
			{"after a ping", 41 * time.Second, 70 * time.Second},
		} {
			t.Run(name+", "+c.name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, w *world) {
					w.serve(nil)
					tr := w.try(wsclient.Options{}).connect()
					began := time.Now()
					time.Sleep(c.at)
					w.net.Cut(mode)
					tr.timedOut(wsclient.ReasonPingTimeout, "ping", 10*time.Second)
					if took := time.Since(began); took != c.found {
						t.Errorf("found after %v", took)
					}
					tr.recovers()
				})
			})
		}
	}
	t.Run("while writing", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			w.serve(nil)
			tr := w.try(wsclient.Options{}).connect()
			w.net.Cut(netem.Silence)
			began := time.Now()
			err := tr.m.Send(t.Context(), wsconn.Binary, make([]byte, 1<<20))
			if e := want[*wsclient.TimeoutError](t, err); e.Op != "send" {
				t.Errorf("Send: %v", err)
			}
			tr.timedOut(wsclient.ReasonWriteTimeout, "send", 10*time.Second)
			if took := time.Since(began); took < 10*time.Second || took > 15*time.Second {
				t.Errorf("found after %v", took)
			}
			tr.recovers()
		})
	})
	t.Run("while writing what gets lost", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			w.serve(nil)
			tr := w.try(wsclient.Options{}).connect()
			w.net.HalfOpen()
			began := time.Now()
			for len(tr.lost) == 0 {
				_ = tr.m.Send(t.Context(), wsconn.Text, []byte("anybody?")) // it may be too late
				time.Sleep(time.Second)
			}
			tr.timedOut(wsclient.ReasonPingTimeout, "ping", 10*time.Second)
			if took := time.Since(began); took < 27*time.Second || took > 33*time.Second {
				t.Errorf("found after %v", took)
			}
			<-tr.gained
		})
	})
}

// An hour without a network costs an attempt a minute, and the connection is back within a minute of the network.
func TestFI24NetworkOff(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(nil)
		tr := w.try(wsclient.Options{
			Reconnect: wsclient.ReconnectOptions{MaxAttempts: wsclient.Unlimited, Backoff: steady},
		}).connect()
		w.net.FailDial(host, syscall.ENETUNREACH)
		w.net.ResetAll()
		tr.abnormal(caused(syscall.ECONNRESET))
		before := tr.m.Stats()
		time.Sleep(time.Hour)
		w.net.Allow(host)
		back := time.Now()
		tr.recovers()
		if late := time.Since(back); late > time.Minute {
			t.Errorf("connected %v after the network was back", late)
		}
		attempts := int(tr.m.Stats().Attempts - before.Attempts)
		if attempts < 60 || attempts > 70 || len(tr.failed) != attempts-1 {
			t.Errorf("%d attempts, %d of them failed", attempts, len(tr.failed))
		}
		for range len(tr.failed) {
			f := <-tr.failed
			e := want[*wsclient.ConnectionError](t, f.Err)
			if !errors.Is(e, syscall.ENETUNREACH) || !f.WillRetry || f.NextDelay > time.Minute {
				t.Errorf("%+v", f)
			}
		}
	})
}
