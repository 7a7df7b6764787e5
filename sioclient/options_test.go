package sioclient_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

func TestOptionsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, url string
		opts      sioclient.Options
	}{
		{"scheme", "ftp://host", sioclient.Options{}},
		{"no host", "http://", sioclient.Options{}},
		{"no URL", "http://[::1", sioclient.Options{}},
		{"path", "http://host/admin", sioclient.Options{}},
		{"version", "http://host", sioclient.Options{Version: 5}},
		{"parser that the version chooses", "http://host", sioclient.Options{Parser: packet.Revision4}},
		{"unknown parser", "http://host", sioclient.Options{Parser: 9}},
		{"msgpack for an old server", "http://host", sioclient.Options{Parser: packet.Msgpack, Version: sioclient.Version3}},
		{"negative delay", "http://host", sioclient.Options{ReconnectionDelay: -1}},
		{"negative longest delay", "http://host", sioclient.Options{ReconnectionDelayMax: -1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m, err := sioclient.NewManager(tc.url, &tc.opts)
			var invalid *sioclient.InvalidError
			if m != nil || !errors.As(err, &invalid) || !errors.Is(err, errkit.Invalid) || !errors.Is(err, errkit.NotSent) {
				t.Errorf("NewManager = %v, want an InvalidError", err)
			}
		})
	}
}

func TestSocketOptionsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	m, err := sioclient.NewManager("http://host", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, namespace string
		opts            sioclient.SocketOptions
	}{
		{"no slash", "admin", sioclient.SocketOptions{}},
		{"empty", "", sioclient.SocketOptions{}},
		{"comma", "/a,b", sioclient.SocketOptions{}},
		{"auth that is a list", "/", sioclient.SocketOptions{Auth: []int{1}}},
		{"auth that is a string", "/", sioclient.SocketOptions{Auth: "token"}},
		{"auth that cannot be encoded", "/", sioclient.SocketOptions{Auth: map[string]any{"a": make(chan int)}}},
		{"negative buffer", "/", sioclient.SocketOptions{BufferMessages: -1}},
		{"negative retries", "/", sioclient.SocketOptions{Retries: -1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := m.Socket(tc.namespace, &tc.opts)
			if s != nil || !errors.Is(err, sioclient.ErrInvalid) {
				t.Errorf("Socket = %v, %v, want an InvalidError", s, err)
			}
		})
	}
}

func TestAddressesWithoutAScheme(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"host", "host:8080", "//host"} {
		if _, err := sioclient.NewManager(url, nil); err != nil {
			t.Errorf("NewManager(%q) = %v", url, err)
		}
	}
}

func TestSecretsStayOutOfErrors(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		w.stop()
		const secret = "s3cr3t"
		opts := w.options(&sioclient.Options{Socket: sioclient.SocketOptions{Auth: map[string]string{"t": secret}}})
		_, err := sioclient.Dial(context.Background(), "http://user:"+secret+"@peer.test/?token="+secret, opts)
		if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(errkit.Detail(err), secret) {
			t.Errorf("Dial = %v", err)
		}
		_, err = sioclient.NewManager("http://peer.test:"+secret, nil)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("NewManager = %v", err)
		}
	})
}

func TestMsgpack(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(&sioclient.Options{Parser: packet.Msgpack}), "/", nil)
		result := w.connect(s)
		srv := w.accept()
		srv.want("bgqR0eXBlAKNuc3ChLw==") // {type: 0, nsp: "/"}
		srv.send("bg6R0eXBlAKNuc3ChL6RkYXRhgaNzaWSheA==")
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		if s.ID() != "x" {
			t.Errorf("id %q", s.ID())
		}
	})
}

func TestPolling(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		opts := &sioclient.Options{}
		opts.Engine.Transports = []string{engineio.Polling}
		s, srv := w.connected(opts)
		if srv.Transport() != "polling" {
			t.Errorf("transport %q", srv.Transport())
		}
		result := call(context.Background(), s, "q", []byte{1, 2})
		srv.want(`451-0["q",{"_placeholder":true,"num":0}]`, "bAQI=")
		srv.send(`461-0[{"_placeholder":true,"num":0}]`, "bAwQ=")
		a := <-result
		if b, ok := a.args.Bytes(0); a.err != nil || !ok || string(b) != "\x03\x04" {
			t.Errorf("answer %v, %v", b, a.err)
		}
	})
}

func TestBackoffOfTheProgram(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		var l log
		opts := &sioclient.Options{
			Hooks: l.hooks(), ReconnectionAttempts: 2,
			Backoff: func(attempt int) time.Duration { return time.Duration(attempt) * time.Hour },
		}
		w.stop()
		s := w.socket(w.manager(opts), "/", nil)
		if err := s.Open(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		l.want(t, "error", "wait 1 1h0m0s", "attempt 1", "error", "reconnect_error",
			"wait 2 2h0m0s", "attempt 2", "error", "reconnect_error", "reconnect_failed")
	})
}
