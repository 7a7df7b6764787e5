package sioclient_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
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
		const limit = 100
		var l log
		m := w.manager(&sioclient.Options{Hooks: sioclient.Hooks{OnClose: func(_ sioclient.Reason, err error) {
			l.add(strconv.FormatBool(errors.Is(err, sioclient.ErrPacket)))
		}}})
		sioclient.LimitEarly(m, limit, 1<<20)
		s := w.socket(m, "/", nil)
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		srv := w.accept()
		srv.want("40")
		for range limit {
			srv.send(`42["e"]`)
		}
		l.want(t)
		srv.send(`42["e"]`)
		<-srv.Done()
		l.want(t, "true") // for that reason
		srv = w.accept()
		srv.want("40") // and nothing that would recover what was lost
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

func TestWhatComesBeforeTheSocketsAreOnDutyIsKept(t *testing.T) {
	greeting := &siotest.PeerOptions{Greeting: []string{"40", `42["welcome"]`}, Pong: true}
	for _, transport := range []string{engineio.WebSocket, engineio.Polling} {
		t.Run(transport, func(t *testing.T) {
			inBubble(t, greeting, func(t *testing.T, w *world) {
				opts := *speaksOld
				opts.Engine.Transports = []string{transport}
				s := w.socket(w.manager(&opts), "/", nil)
				sioclient.OpenAfter(s, synctest.Wait)
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				if e, err := s.Receive(ctx); err != nil || e.Name != "welcome" {
					t.Errorf("Receive = %v, %v, want the event that came with the open packet", e, err)
				}
			})
		})
	}
}

func TestEarlyEventsAreBoundedOverAllConnections(t *testing.T) {
	for _, tc := range []struct {
		name            string
		messages, bytes int
		event           string
	}{
		{"messages", 16, 1 << 20, `42["e"]`},
		{"bytes", 1000, 160_000, `42["e","` + strings.Repeat("x", 10_000-len(`42["e",""]`)) + `"]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				release := make(chan struct{})
				var l log
				m := w.manager(&sioclient.Options{Hooks: sioclient.Hooks{
					OnClose: func(_ sioclient.Reason, err error) {
						if errors.Is(err, sioclient.ErrPacket) {
							l.add("too much")
						}
					},
				}})
				sioclient.LimitEarly(m, tc.messages, tc.bytes)
				s := w.socket(m, "/", nil)
				s.On("e", func(*sioclient.Event) error { <-release; return nil })
				if err := s.Open(); err != nil {
					t.Fatal(err)
				}
				early := func() {
					srv := w.accept()
					srv.want("40")
					for range 10 {
						if srv.Send(tc.event) != nil {
							break
						}
					}
					_ = srv.Send(`40{"sid":"x"}`)
					synctest.Wait()
					srv.Cut()
				}
				early()
				l.want(t)
				early() // 20 are too many, 10 are not
				l.want(t, "too much")
				close(release)
			})
		})
	}
}
