package pikvm_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// Addresses of the device on the network in memory.
const (
	kvmHTTP  = "http://kvm.example"
	kvmHTTPS = "https://kvm.example"
)

// serveHTTP runs a device without TLS on the network until the test ends.
func serveHTTP(t *testing.T, network *netem.Network, handler http.HandlerFunc) {
	t.Helper()
	serve(t, listen(t, network, "kvm.example:80"), handler)
}

// serveTLS runs a device with TLS on the network until the test ends.
func serveTLS(t *testing.T, network *netem.Network, config *tls.Config, handler http.HandlerFunc) {
	t.Helper()
	serve(t, tls.NewListener(listen(t, network, "kvm.example:443"), config), handler)
}

func listen(t *testing.T, network *netem.Network, addr string) net.Listener {
	t.Helper()
	l, err := network.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func serve(t *testing.T, l net.Listener, handler http.HandlerFunc) {
	t.Helper()
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("server: %v", err)
		}
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
}

// serveRaw runs a device that reads the head of one request per connection and lets script answer it.
func serveRaw(t *testing.T, network *netem.Network, script func(conn *netem.Conn, link *netem.Link)) {
	t.Helper()
	l := listen(t, network, "kvm.example:80")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for id := 1; ; id++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			link, err := network.WaitLink(t.Context(), id)
			if err != nil {
				t.Error(err)
			} else if readHead(conn) == nil {
				script(conn.(*netem.Conn), link)
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
}

// readHead reads a request with its body.
func readHead(conn net.Conn) error {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

// answerRaw returns the bytes of an answer with a JSON body.
func answerRaw(status, body string) []byte {
	return []byte("HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n\r\n" + body)
}

// reply writes an answer as the device does.
func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// Bodies of the device.
const (
	okEmpty   = `{"ok": true, "result": {}}`
	forbidden = `{"ok": false, "result": {"error": "ForbiddenError", "error_msg": "Forbidden"}}`
	atxBusy   = `{"ok": false, "result": {"error": "AtxIsBusyError", "error_msg": "Performing another ATX operation, please try again later"}}`
	atxOn     = `{"ok": true, "result": {"enabled": true, "busy": false, "leds": {"power": true, "hdd": false}}}`
)

// on returns opts with the network in them.
func on(network *netem.Network, opts pikvm.Options) *pikvm.Options {
	opts.DialContext = network.DialContext
	return &opts
}

// noDial fails the test when something is dialled.
func noDial(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	return func(_ context.Context, _, addr string) (net.Conn, error) {
		t.Errorf("dialled %s", addr)
		return nil, errors.New("not to be dialled")
	}
}

// canceled returns a context that is.
func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
