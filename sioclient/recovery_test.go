package sioclient_test

import (
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/sioclient"
)

// joined connects a socket to a server with connection state recovery.
func (w *world) joined(s *sioclient.Socket) *session {
	w.t.Helper()
	if err := s.Open(); err != nil {
		w.t.Fatal(err)
	}
	srv := w.accept()
	srv.want("40")
	srv.send(`40{"sid":"S","pid":"P"}`)
	synctest.Wait()
	return srv
}

func TestRecoveryPresentsTheOffset(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		s := w.socket(w.manager(nil), "/", nil)
		l.watch(s)
		s.OnAny(func(e *sioclient.Event) error { l.add(e.Name + string(e.Args.JSON())); return nil })
		srv := w.joined(s)
		srv.send(`42["foo",1,"off-1"]`, `425["asked","no offset"]`, `42["bar",2]`)
		l.want(t, "connect", `foo[1,"off-1"]`, `asked["no offset"]`, `bar[2]`)
		srv.Cut()
		srv = w.accept()
		srv.want(`40{"pid":"P","offset":"off-1"}`)
		srv.send(`42["missed",3,"off-2"]`, `40{"sid":"S","pid":"P"}`, `42["later",4,"off-3"]`)
		l.want(t, "disconnect: transport close", `missed[3,"off-2"]`, "connect", `later[4,"off-3"]`)
		if !s.Recovered() || s.ID() != "S" {
			t.Errorf("recovered %t, id %q", s.Recovered(), s.ID())
		}
		srv.Cut()
		w.accept().want(`40{"pid":"P","offset":"off-3"}`)
	})
}

func TestRecoveryWithoutAnOffset(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(nil), "/", nil)
		w.joined(s).Cut()
		srv := w.accept()
		srv.want(`40{"pid":"P"}`) // no event had come
		srv.send(`42["missed","off-1"]`, `40{"sid":"S","pid":"P"}`)
		synctest.Wait()
		if !s.Recovered() {
			t.Error("recovered = false")
		}
		srv.Cut()
		w.accept().want(`40{"pid":"P","offset":"off-1"}`)
	})
}

func TestRecoveryThatTheServerDeclines(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(nil), "/", nil)
		srv := w.joined(s)
		srv.send(`42["x","off-1"]`)
		synctest.Wait()
		srv.Cut()
		srv = w.accept()
		srv.want(`40{"pid":"P","offset":"off-1"}`)
		srv.send(`40{"sid":"T","pid":"Q"}`)
		synctest.Wait()
		if s.Recovered() || s.ID() != "T" {
			t.Errorf("recovered %t, id %q, want a new session", s.Recovered(), s.ID())
		}
		srv.Cut()
		w.accept().want(`40{"pid":"Q"}`) // the old offset is of another session
	})
}

func TestRecoveryKeysGiveWayToAuth(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{Auth: map[string]string{"offset": "mine", "token": "t"}})
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		srv := w.accept()
		srv.want(`40{"offset":"mine","token":"t"}`)
		srv.send(`40{"sid":"S","pid":"P"}`, `42["x","off-1"]`)
		synctest.Wait()
		srv.Cut()
		w.accept().want(`40{"pid":"P","offset":"off-1","offset":"mine","token":"t"}`) // of a name twice the second counts
	})
}

func TestNoRecoveryAfterTheNamespaceWasLeft(t *testing.T) {
	for name, leave := range map[string]func(s *sioclient.Socket, srv *session){
		"by Disconnect": func(s *sioclient.Socket, _ *session) { _ = s.Disconnect() },
		"by the server": func(_ *sioclient.Socket, srv *session) { srv.send("41") },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s := w.socket(w.manager(nil), "/", nil)
				srv := w.joined(s)
				leave(s, srv)
				synctest.Wait()
				if err := s.Open(); err != nil {
					t.Fatal(err)
				}
				w.accept().want("40")
			})
		})
	}
}

func TestStripOffset(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{StripOffset: true})
		s.OnAny(func(e *sioclient.Event) error { l.add(e.Name + string(e.Args.JSON())); return nil })
		srv := w.joined(s)
		srv.send(`42["foo",1,"off-1"]`, `425["asked","text"]`, `42["n",2]`, `42["bare","off-2"]`)
		l.want(t, `foo[1]`, `asked["text"]`, `n[2]`, `bare[]`)
		srv.Cut()
		w.accept().want(`40{"pid":"P","offset":"off-2"}`)
	})
}

func TestServersWithoutRecoveryKeepTheirArguments(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		s := w.socket(w.manager(nil), "/", &sioclient.SocketOptions{StripOffset: true})
		s.OnAny(func(e *sioclient.Event) error { l.add(e.Name + string(e.Args.JSON())); return nil })
		srv := w.open(s)
		srv.send(`42["foo","text"]`)
		l.want(t, `foo["text"]`)
		srv.Cut()
		w.accept().want("40")
	})
}
