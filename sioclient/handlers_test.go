package sioclient_test

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient"
)

func TestHandlersRunInOrder(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		const n = 2000
		var got, want []int
		sioclient.On1(s, "n", func(i int) {
			if i%500 == 0 {
				time.Sleep(time.Second) // one at a time: the others wait
			}
			got = append(got, i)
		})
		for i := range n {
			want = append(want, i)
			srv.send(`42["n",` + strconv.Itoa(i) + `]`)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("events (-want +got):\n%s", d)
		}
	})
}

func TestEventsBeforeTheConfirmationAreKept(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		s := w.socket(w.manager(nil), "/", nil)
		l.watch(s)
		s.OnAny(func(e *sioclient.Event) error { l.add(e.Name); return e.Ack() })
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		srv := w.accept()
		srv.want("40")
		srv.send(`42["a"]`, `427["b"]`, `452-["c",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "bAQ==", "bAg==")
		l.want(t)
		srv.send(`40{"sid":"x"}`, `42["d"]`)
		l.want(t, "a", "b", "c", "connect", "d")
		srv.want(`437[]`)
		// What came before a connection that was never confirmed is not for the next one.
		srv.Cut()
		srv = w.accept()
		srv.want("40")
		srv.send(`42["stale"]`)
		synctest.Wait()
		srv.Cut()
		srv = w.accept()
		srv.want("40")
		srv.send(`40{"sid":"y"}`)
		l.want(t, "disconnect: transport close", "connect_error", "connect")
	})
}

func TestPacketsForOthersAreIgnored(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		s, srv := w.connected(nil)
		s.OnAny(func(e *sioclient.Event) error { l.add(e.Name); return nil })
		srv.send(`42/other,["a"]`, `43/other,0[]`, `41/other,`, `44/other,"x"`, `40{"sid":"again"}`, `42["b"]`)
		l.want(t, "b")
		if s.ID() != "sid-1" {
			t.Errorf("id %q", s.ID())
		}
	})
}

func TestHandlerErrorsGoToOnError(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		bad := errors.New("bad")
		var errs []error
		off := s.OnError(func(err error) { errs = append(errs, err) })
		s.On("fails", func(*sioclient.Event) error { return bad })
		s.On("panics", func(*sioclient.Event) error { panic(bad) })
		sioclient.On1(s, "one", func(int) { t.Error("called with what is no number") })
		sioclient.On2(s, "two", func(int, string) { t.Error("called with what is no string") })
		sioclient.On3(s, "three", func(int, int, bool) { t.Error("called with what is no bool") })
		srv.send(`42["fails"]`, `42["panics"]`, `42["one","x"]`, `42["two",1,2]`, `42["three",1,2,3]`)
		synctest.Wait()
		if len(errs) != 5 || !errors.Is(errs[0], bad) || !errors.Is(errs[1], sioclient.ErrHandler) || !errors.Is(errs[1], bad) {
			t.Fatalf("errors %v", errs)
		}
		for i, err := range errs[2:] {
			var de *sioclient.DecodeError
			if !errors.As(err, &de) || de.Index != i || de.Event != []string{"one", "two", "three"}[i] {
				t.Errorf("error %v, want a DecodeError of argument %d", err, i)
			}
		}
		off()
		srv.send(`42["fails"]`)
		synctest.Wait()
		if len(errs) != 5 || !s.Connected() {
			t.Errorf("%d errors, connected %t", len(errs), s.Connected())
		}
	})
}

func TestTypedHandlers(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		type point struct{ X, Y int }
		var l log
		s, srv := w.connected(nil)
		sioclient.On0(s, "zero", func() { l.add("zero") })
		sioclient.On1(s, "bytes", func(b []byte) { l.add("bytes " + string(b)) })
		sioclient.On2(s, "two", func(p point, n int) { l.add(strconv.Itoa(p.X + p.Y + n)) })
		sioclient.On3(s, "three", func(a, b string, c *int) { l.add(a + b + strconv.FormatBool(c == nil)) })
		srv.send(`42["zero",1,2]`, `451-["bytes",{"_placeholder":true,"num":0}]`, "bYWJj", `42["two",{"X":1,"Y":2},3]`, `42["three","a"]`)
		l.want(t, "zero", "bytes abc", "6", "atrue")
	})
}

// lamp is a group of handlers.
type lamp struct{ l *log }

func (p lamp) Handlers() map[string]sioclient.Handler {
	return map[string]sioclient.Handler{
		"on":  func(*sioclient.Event) error { p.l.add("on"); return nil },
		"off": func(*sioclient.Event) error { p.l.add("off"); return nil },
	}
}

func TestRegister(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		s, srv := w.connected(nil)
		off := sioclient.Register(s, lamp{&l})
		srv.send(`42["on"]`, `42["off"]`)
		l.want(t, "on", "off")
		off()
		srv.send(`42["on"]`)
		l.want(t)
	})
}

func TestListenersComeAndGo(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		s, srv := w.connected(nil)
		note := func(who string) sioclient.Handler {
			return func(*sioclient.Event) error { l.add(who); return nil }
		}
		s.On("e", note("on"))
		s.Once("e", note("once"))
		off := s.OnAny(note("any"))
		s.PrependAny(note("first"))
		srv.send(`42["e"]`, `42["e"]`)
		l.want(t, "first", "any", "on", "once", "first", "any", "on")
		off()
		s.Off("e")
		srv.send(`42["e"]`)
		l.want(t, "first")
		s.OffAny()
		s.On("e", note("x"))
		s.Off()
		srv.send(`42["e"]`)
		l.want(t)
		offConnect := s.OnConnect(func() { l.add("connect") })
		offConnect()
		offConnect()
		srv.Cut()
		srv = w.accept()
		srv.send(`40{"sid":"x"}`)
		l.want(t)
	})
}

func TestFullQueueStopsReadingAndLosesNothing(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{QueueMessages: 3})
		srv := w.open(s)
		release := make(chan struct{})
		n := 0
		s.On("e", func(*sioclient.Event) error { <-release; n++; return nil })
		for range 50 {
			srv.send(`42["e"]`)
		}
		synctest.Wait()
		if got := s.Manager().Stats().Received; got > 4 {
			t.Errorf("%d events were read although nobody handles them", got)
		}
		close(release)
		synctest.Wait()
		if n != 50 {
			t.Errorf("%d events handled, want 50", n)
		}
	})
}

func TestSlowHandlerDoesNotHideTheEndOfTheConnection(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{QueueMessages: 1})
		srv := w.open(s)
		release := make(chan struct{})
		n := 0
		s.On("e", func(*sioclient.Event) error { <-release; n++; return nil })
		srv.send(`42["e"]`, `42["e"]`)
		synctest.Wait()
		w.network.ResetAll()
		synctest.Wait()
		close(release)
		w.accept().want("40")
		synctest.Wait()
		if n != 2 {
			t.Errorf("%d events handled, want 2", n)
		}
	})
}
