//go:build interop

package siointerop_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// peer is a server of others, and how to speak with it.
type peer struct {
	url     string
	version sioclient.Version
	parser  packet.Parser
	python  bool // python-socketio
}

// TestOurClient lets this repository's client use servers of others.
func TestOurClient(t *testing.T) {
	t.Parallel()
	node := func(version int, parser string) func(*testing.T) string {
		return func(t *testing.T) string {
			return serve(t, "node", "node/server.js", fmt.Sprintf(`{"version":%d,"parser":%q}`, version, parser))
		}
	}
	for name, tt := range map[string]struct {
		start func(*testing.T) string
		peer
	}{
		"socket.io 4.8":              {node(4, ""), peer{version: sioclient.Version4}},
		"socket.io 4.8 with msgpack": {node(4, "msgpack"), peer{version: sioclient.Version4, parser: packet.Msgpack}},
		"socket.io 2.5":              {node(2, ""), peer{version: sioclient.Version3}},
		"python-socketio": {
			func(t *testing.T) string { return serve(t, python(), "python/server.py") },
			peer{version: sioclient.Version4, python: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.url = tt.start(t)
			for _, transports := range ways {
				t.Run(strings.Join(transports, " and "), func(t *testing.T) {
					for name, check := range clientChecks {
						t.Run(name, func(t *testing.T) { check(t, &visit{T: t, peer: tt.peer, transports: transports}) })
					}
				})
			}
		})
	}
}

// visit is one use of a peer.
type visit struct {
	*testing.T
	peer
	transports []string
}

func (v *visit) options() *sioclient.Options {
	return &sioclient.Options{
		Engine:  engineio.DialOptions{Transports: v.transports},
		Version: v.version, Parser: v.parser, Timeout: time.Minute,
		ReconnectionDelay: 10 * time.Millisecond,
		Socket:            sioclient.SocketOptions{Auth: map[string]string{"token": "abc"}, AckTimeout: time.Minute},
	}
}

// dial connects to a namespace and reads the event that greets.
func (v *visit) dial(namespace string) *sioclient.Socket {
	v.Helper()
	s, err := sioclient.Dial(v.ctx(), v.url+namespace, v.options())
	if err != nil {
		v.Fatal(err)
	}
	v.Cleanup(func() { _ = s.Close() })
	if namespace != "/foo" || v.python {
		v.wantEvent(s, "auth", v.auth())
	}
	return s
}

func (v *visit) auth() string {
	if v.version == sioclient.Version3 {
		return `[{}]`
	}
	return `[{"token":"abc"}]`
}

func (v *visit) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	v.Cleanup(cancel)
	return ctx
}

func (v *visit) receive(s *sioclient.Socket, name string) *sioclient.Event {
	v.Helper()
	e, err := s.Receive(v.ctx())
	if err != nil {
		v.Fatal(err)
	}
	if e.Name != name {
		v.Fatalf("event %s %s, want %s", e.Name, e.Args.JSON(), name)
	}
	return e
}

func (v *visit) wantEvent(s *sioclient.Socket, name, args string) {
	v.Helper()
	v.want(args, string(v.receive(s, name).Args.JSON()))
}

func (v *visit) want(want, got any) {
	v.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		v.Fatalf("-want +got\n%s", diff)
	}
}

func (v *visit) must(err error) {
	v.Helper()
	if err != nil {
		v.Fatal(err)
	}
}

func (v *visit) call(s *sioclient.Socket, name string, args ...any) packet.Args {
	v.Helper()
	answer, err := s.Call(v.ctx(), name, args...)
	v.must(err)
	return answer
}

var clientChecks = map[string]func(*testing.T, *visit){
	"events": func(t *testing.T, v *visit) {
		s := v.dial("/")
		args := `[1,-2.5,"3",{"a":[true,null,{"b":""}]},[],"äöü € 🍔",false,null]`
		a, err := packet.ParseArgs(json.RawMessage(args), nil)
		v.must(err)
		v.must(s.Emit("message", a))
		v.want(decoded(t, args), decoded(t, string(v.receive(s, "message-back").Args.JSON())))
		v.must(s.Emit("hi"))
		v.wantEvent(s, "hi", "[]")
	},
	"acknowledgements": func(t *testing.T, v *visit) {
		s := v.dial("/")
		v.want(`[1,"2",{"3":[false]}]`, string(v.call(s, "message-with-ack", 1, "2", map[string]any{"3": []bool{false}}).JSON()))
		v.want("[]", string(v.call(s, "message-with-ack").JSON()))
		for range 3 {
			v.must(s.Emit("ack"))
			v.must(v.receive(s, "ack").Ack(5, map[string]bool{"test": true}))
			v.wantEvent(s, "got it", "[]")
		}
	},
	"binary": func(t *testing.T, v *visit) {
		s := v.dial("/")
		v.must(s.Emit("doge"))
		data, ok := v.receive(s, "doge").Args.Bytes(0)
		v.want("asdfasdf true", fmt.Sprintf("%s %v", data, ok))
		values := []any{[]byte{0, 255}, map[string]any{"deep": []any{[]byte{7}}}, []byte{}, "x"}
		v.must(s.Emit("message", values...))
		v.wantValues(values, v.receive(s, "message-back").Args)
		v.wantValues(values, v.call(s, "message-with-ack", values...))
		large := make([]byte, 200_000)
		if v.python && v.transports[0] == engineio.Polling {
			large = large[:20_000] // this server reads the first part alone of a body that comes in several
		}
		for i := range large {
			large[i] = byte(i * 7)
		}
		v.wantValues([]any{large}, v.call(s, "echo", large))
	},
	"namespaces": func(t *testing.T, v *visit) {
		m, err := sioclient.NewManager(v.url, v.options())
		v.must(err)
		defer func() { v.must(m.Close()) }()
		var sockets []*sioclient.Socket
		for _, name := range []string{"/", "/foo", "/custom"} {
			s, err := m.Socket(name, nil)
			v.must(err)
			sockets = append(sockets, s)
		}
		v.must(m.Connect(v.ctx(), sockets...))
		id, err := sioclient.Call1[string](v.ctx(), sockets[1], "getId")
		v.must(err)
		if v.version == sioclient.Version4 {
			v.want(id, sockets[1].ID())
		}
		v.wantEvent(sockets[2], "auth", v.auth())
		v.must(sockets[1].Disconnect())
		if _, err := sockets[1].Call(v.ctx(), "getId"); !errors.Is(err, sioclient.ErrBadNamespace) {
			t.Errorf("a call without the namespace: %v", err)
		}
		v.want("[1]", string(v.call(sockets[0], "echo", 1).JSON()))
		v.must(sockets[1].Connect(v.ctx()))
		v.call(sockets[1], "getId")
	},
	"refused": func(t *testing.T, v *visit) {
		for address, want := range map[string]string{
			"/no":      "Auth failed (custom namespace)",
			"/?fail=1": "Auth failed (main namespace)",
			"/random":  "Invalid namespace",
		} {
			if v.python && address == "/random" {
				want = "Unable to connect"
			}
			_, err := sioclient.Dial(v.ctx(), v.url+address, v.options())
			refused, ok := errors.AsType[*sioclient.ConnectionRefusedError](err)
			if !ok {
				t.Errorf("%s: %v", address, err)
				continue
			}
			v.want(want, refused.Message)
			if address == "/?fail=1" && v.version == sioclient.Version4 {
				v.want(`{"code":7}`, string(refused.Data))
			}
		}
	},
	"reconnect": func(t *testing.T, v *visit) {
		s := v.dial("/")
		lost := make(chan sioclient.Reason, 10)
		s.OnDisconnect(func(reason sioclient.Reason, _ error) { lost <- reason })
		for i := range 3 {
			v.must(s.Emit("drop"))
			v.want(true, (<-lost).WillReconnect())
			v.wantEvent(s, "auth", v.auth())
			v.want(fmt.Sprint("[", i, "]"), string(v.call(s, "echo", i).JSON()))
		}
		v.must(s.Emit("kick"))
		v.want(sioclient.IOServerDisconnect, <-lost)
		v.want(false, s.Active())
		v.must(s.Connect(v.ctx()))
		v.want("[1]", string(v.call(s, "echo", 1).JSON()))
	},
	"the main namespace ends, another stays": func(_ *testing.T, v *visit) {
		for _, byServer := range []bool{true, false} {
			m, err := sioclient.NewManager(v.url, v.options())
			v.must(err)
			main, err := m.Socket("/", nil)
			v.must(err)
			foo, err := m.Socket("/foo", nil)
			v.must(err)
			lost := make(chan sioclient.Reason, 1)
			main.OnDisconnect(func(r sioclient.Reason, _ error) { lost <- r })
			v.must(m.Connect(v.ctx(), main, foo))
			if byServer {
				v.must(main.Emit("kick"))
				v.want(sioclient.IOServerDisconnect, <-lost)
			} else {
				v.must(main.Disconnect())
				v.want(sioclient.IOClientDisconnect, <-lost)
			}
			v.want(fmt.Sprintf("[%q]", foo.ID()), string(v.call(foo, "getId").JSON()))
			v.must(main.Connect(v.ctx()))
			v.want("[1]", string(v.call(main, "echo", 1).JSON()))
			v.must(m.Close())
		}
	},
	"1,000 messages each way": func(t *testing.T, v *visit) {
		upgraded := make(chan struct{}, 1)
		o := v.options()
		o.Hooks.OnUpgrade = func() { upgraded <- struct{}{} }
		m, err := sioclient.NewManager(v.url, o)
		v.must(err)
		defer func() { v.must(m.Close()) }()
		s, err := m.Socket("/", nil)
		v.must(err)
		var pushed, back []int
		done := make(chan struct{}, 2)
		collect := func(name string, into *[]int) {
			sioclient.On1(s, name, func(n int) {
				if *into = append(*into, n); len(*into) == 1000 {
					done <- struct{}{}
				}
			})
		}
		collect("pushed", &pushed)
		collect("message-back", &back)
		v.must(s.Open())
		v.must(s.Emit("push"))
		for i := range 1000 {
			var more any = "x"
			if i%10 == 0 {
				more = []byte{byte(i)}
			}
			v.must(s.Emit("message", i, more))
			if i == 500 {
				v.must(s.Connect(v.ctx()))
			}
		}
		ctx := v.ctx()
		for range 2 {
			select {
			case <-done:
			case <-ctx.Done():
				v.Fatal("not all came")
			}
		}
		v.call(s, "echo", 1)
		want := make([]int, 1000)
		for i := range want {
			want[i] = i
		}
		v.want(want, pushed)
		v.want(want, back)
		if len(v.transports) == 2 {
			select {
			case <-upgraded:
			case <-ctx.Done():
				v.Fatal("not upgraded")
			}
		}
	},
}

// decoded lets texts be compared whatever the server escapes in them.
func decoded(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *visit) wantValues(want []any, got packet.Args) {
	v.Helper()
	values := make([]any, got.Len())
	for i := range values {
		v.must(got.Decode(i, &values[i]))
	}
	v.want(want, values)
}
