package sioclient_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

func TestEverythingAtOnceWhileTheLinkBreaks(t *testing.T) {
	withServer(t, nil, func(t *testing.T, srv *sioserver.Server, w *world) {
		for _, name := range []string{"/", "/a", "/b"} {
			srv.Of(name).OnConnect(func(s *sioserver.Socket) {
				sioclient.Reply1(s, "double", func(n int) (int, error) { return 2 * n, nil })
			})
		}
		m := w.manager(nil)
		var answered, failed atomic.Int64
		var wg sync.WaitGroup
		for _, name := range []string{"/", "/a", "/b"} {
			s := w.socket(m, name, nil)
			if err := s.Open(); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				wg.Go(func() {
					for n := range 100 {
						got, err := sioclient.Call1[int](context.Background(), s.Timeout(time.Hour), "double", n)
						switch {
						case err == nil && got == 2*n:
							answered.Add(1)
						case errors.Is(err, sioclient.ErrDisconnected):
							failed.Add(1)
						default:
							t.Errorf("Call1 = %d, %v", got, err)
						}
						if err := s.Emit("tick", n); err != nil {
							t.Error(err)
						}
						off := s.On("x"+strconv.Itoa(n), func(*sioclient.Event) error { return nil })
						time.Sleep(10 * time.Millisecond)
						off()
					}
				})
			}
		}
		wg.Go(func() {
			for range 5 {
				time.Sleep(300 * time.Millisecond)
				w.network.ResetAll()
			}
		})
		wg.Wait()
		if answered.Load()+failed.Load() != 900 || answered.Load() < 800 {
			t.Errorf("%d answered, %d failed, want 900 in all", answered.Load(), failed.Load())
		}
	})
}

func TestTooMuchBeforeTheConfirmation(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var ended error
		s := w.socket(w.manager(&sioclient.Options{Hooks: sioclient.Hooks{
			OnClose: func(_ sioclient.Reason, err error) { ended = err },
		}}), "/", nil)
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		srv := w.accept()
		srv.want("40")
		for range 100_001 {
			if srv.Send(`42["e"]`) != nil {
				break
			}
		}
		<-srv.Done()
		w.accept().want("40")
		synctest.Wait()
		if !errors.Is(ended, sioclient.ErrPacket) {
			t.Errorf("the connection ended with %v, want ErrPacket", ended)
		}
	})
}

func TestServerThatNeverConfirmsIsReportedAgainAndAgain(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		s := w.socket(w.manager(nil), "/", nil)
		l.watch(s)
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		srv := w.accept()
		srv.want("40")
		time.Sleep(50 * time.Second)
		l.want(t, "connect_error", "connect_error")
		srv.quiet()
		srv.send(`40{"sid":"x"}`)
		l.want(t, "connect")
		time.Sleep(time.Minute)
		l.want(t)
	})
}
