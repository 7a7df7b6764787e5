package sioclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
)

// refusal is what a program reads from a *ConnectionRefusedError.
type refusal struct {
	Namespaces []string
	Message    string
	Data       string
}

func refusalOf(t *testing.T, err error) refusal {
	t.Helper()
	var e *sioclient.ConnectionRefusedError
	if !errors.As(err, &e) {
		t.Fatalf("error %v is no ConnectionRefusedError", err)
	}
	for _, class := range []error{sioclient.ErrConnectionRefused, sioclient.ErrConnection, sioclient.Err, errkit.Denied} {
		if !errors.Is(err, class) {
			t.Errorf("%v does not match %v", err, class)
		}
	}
	var ce *sioclient.ConnectionError
	if !errors.As(err, &ce) {
		t.Errorf("%v is no ConnectionError", err)
	}
	return refusal{e.Namespaces, e.Message, string(e.Data)}
}

func TestRefusal(t *testing.T) {
	for _, tc := range []struct {
		name, packet string
		want         refusal
	}{
		{"message", `44/x,{"message":"Not authorized"}`, refusal{Message: "Not authorized"}},
		{"message and data", `44/x,{"message":"no","data":{"code":7}}`, refusal{Message: "no", Data: `{"code":7}`}},
		{"a bare string, as python-socketio sends it", `44/x,"Unable to connect"`, refusal{Message: "Unable to connect"}},
		{"nothing", `44/x,`, refusal{}},
		{"an object without a message", `44/x,{"c":1}`, refusal{Data: `{"c":1}`}},
		{"DISCONNECT in place of an answer", `41/x,{"message":"go away"}`, refusal{Message: "go away"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				var l log
				m := w.manager(nil)
				s := w.socket(m, "/x", nil)
				l.watch(s)
				result := w.connect(s)
				srv := w.accept()
				srv.want("40/x,")
				srv.send(tc.packet)
				tc.want.Namespaces = []string{"/x"}
				if d := cmp.Diff(tc.want, refusalOf(t, <-result)); d != "" {
					t.Errorf("refusal (-want +got):\n%s", d)
				}
				l.want(t, "connect_error")
				<-srv.Done() // nobody needs the connection
				time.Sleep(time.Minute)
				if s.Active() || m.Stats().Attempts != 0 {
					t.Error("a refused socket tries again")
				}
			})
		})
	}
}

func TestRefusedNamespaceLeavesTheOthersAlone(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(nil)
		main := w.socket(m, "/", nil)
		srv := w.open(main)
		x := w.socket(m, "/x", nil)
		result := w.connect(x)
		srv.want("40/x,")
		srv.send(`44/x,{"message":"Invalid namespace"}`)
		if err := <-result; refusalOf(t, err).Message != "Invalid namespace" {
			t.Errorf("Connect = %v", err)
		}
		err := x.Emit("e")
		var bad *sioclient.BadNamespaceError
		if !errors.As(err, &bad) || bad.Namespace != "/x" || !errors.Is(err, errkit.NotSent) {
			t.Errorf("Emit = %v, want a BadNamespaceError of /x", err)
		}
		if _, err := x.Call(context.Background(), "e"); !errors.Is(err, sioclient.ErrBadNamespace) {
			t.Errorf("Call = %v, want ErrBadNamespace", err)
		}
		if err := main.Emit("e"); err != nil {
			t.Error(err)
		}
		srv.want(`42["e"]`)
		// The program may try again.
		result = w.connect(x)
		srv.want("40/x,")
		srv.send(`40/x,{"sid":"x"}`)
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

func TestSeveralRefusalsAreJoinedBelowOneError(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		m := w.manager(nil)
		var sockets []*sioclient.Socket
		for _, name := range []string{"/a", "/b", "/c"} {
			sockets = append(sockets, w.socket(m, name, nil))
		}
		result := make(chan error, 1)
		go func() { result <- m.Connect(context.Background(), sockets...) }()
		srv := w.accept()
		for range sockets {
			srv.receive()
		}
		srv.send(`44/a,{"message":"first"}`, `40/b,{"sid":"b"}`, `44/c,{"message":"third"}`)
		err := <-result
		var ce *sioclient.ConnectionError
		if !errors.As(err, &ce) || !cmp.Equal(ce.Namespaces, []string{"/a", "/c"}) {
			t.Fatalf("Connect = %v, want a ConnectionError of /a and /c", err)
		}
		var messages []string
		for e := range errkit.All[*sioclient.ConnectionRefusedError](err) {
			messages = append(messages, e.Namespaces[0]+" "+e.Message)
		}
		if d := cmp.Diff([]string{"/a first", "/c third"}, messages); d != "" {
			t.Errorf("refusals (-want +got):\n%s", d)
		}
		if !sockets[1].Connected() {
			t.Error("the one that was let in is not connected")
		}
		if err := m.Connect(context.Background(), sockets[1]); err != nil {
			t.Errorf("Connect of a connected socket = %v", err)
		}
	})
}

func TestServerDisconnects(t *testing.T) {
	for _, tc := range []struct {
		name, packet, message string
	}{
		{"plainly", "41", ""},
		{"with a payload, as python-socketio refuses late", `41{"message":"not you"}`, "not you"},
		{"with CONNECT_ERROR", `44{"message":"no more"}`, "no more"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s, srv := w.connected(nil)
				var reason sioclient.Reason
				var cause error
				s.OnDisconnect(func(r sioclient.Reason, err error) { reason, cause = r, err })
				calls := make(chan error, 1)
				go func() {
					_, err := s.Call(context.Background(), "q")
					calls <- err
				}()
				srv.want(`420["q"]`)
				srv.send(tc.packet)
				err := <-calls
				var de *sioclient.DisconnectedError
				if !errors.As(err, &de) || de.Reason != sioclient.IOServerDisconnect {
					t.Errorf("Call = %v, want a DisconnectedError", err)
				}
				synctest.Wait()
				if reason != sioclient.IOServerDisconnect || reason.WillReconnect() {
					t.Errorf("reason %q, will reconnect %t", reason, reason.WillReconnect())
				}
				if tc.message == "" && cause != nil || tc.message != "" && refusalOf(t, cause).Message != tc.message {
					t.Errorf("cause %v, want %q", cause, tc.message)
				}
				time.Sleep(time.Minute)
				if s.Active() || s.ID() != "" {
					t.Error("the socket came back by itself")
				}
				if err := s.Emit("x"); !errors.Is(err, sioclient.ErrDisconnected) || !errors.Is(err, errkit.NotSent) {
					t.Errorf("Emit = %v, want a DisconnectedError", err)
				}
				w.open(s) // but it may be told to
			})
		})
	}
}

func TestRefuseEncodesData(t *testing.T) {
	t.Parallel()
	e := sioclient.Refuse("no", map[string]int{"code": 1})
	if e.Message != "no" || !json.Valid(e.Data) || string(e.Data) != `{"code":1}` {
		t.Errorf("Refuse = %q, %s", e.Message, e.Data)
	}
}
