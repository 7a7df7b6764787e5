package pikvm_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestEarlyRefusals: over real sockets, with and without TLS, the reason wins over the broken pipe, for bodies that fit
// into the buffers on the way and for those that do not.
func TestEarlyRefusals(t *testing.T) {
	t.Parallel()
	const exists = `{"ok": false, "result": {"error": "MsdImageExistsError", "error_msg": "This image is already exists"}}`
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Connection", "close")
			reply(w, http.StatusBadRequest, exists) // and nothing of the body is read
			return
		}
		reply(w, http.StatusOK, atxOn)
	})
	for name, start := range map[string]func(http.Handler) *httptest.Server{"plain": httptest.NewServer, "TLS": httptest.NewTLSServer} {
		for _, size := range []int64{1000, 1 << 20, 64 << 20} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				server := start(handler)
				t.Cleanup(server.Close)
				opts := &pikvm.Options{InsecureSkipTLSVerify: name == "TLS"}
				c := newClient(t, server.URL, opts)
				for range 3 {
					_, err := c.MSD.Upload(t.Context(), "a.img", bare(io.LimitReader(zeros{}, size)), size, &pikvm.UploadOptions{DisableCheck: true})
					failure{Type: "APIError", Class: pikvm.ErrExists, Kinds: errkit.Conflict | errkit.Invalid, Status: 400}.check(t, err)
					if _, err := c.ATX.State(t.Context()); err != nil {
						t.Errorf("the next request: %v", err)
					}
				}
			})
		}
	}
}

// TestFailedWrites: where no answer comes, a write that failed is the error it was.
func TestFailedWrites(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*netem.Conn) error{
		"reset": (*netem.Conn).Reset, "closed": (*netem.Conn).Close,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			l := listen(t, network, "kvm.example:80")
			done := make(chan struct{})
			go func() {
				defer close(done)
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.ReadFull(conn, make([]byte, 10_000)) // the head and some of the body
				_ = end(conn.(*netem.Conn))
			}()
			t.Cleanup(func() {
				_ = l.Close()
				<-done
			})
			c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
			_, err := c.MSD.Upload(t.Context(), "a.img", bytes.NewReader(make([]byte, 8<<20)), 8<<20, &pikvm.UploadOptions{DisableCheck: true})
			failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection | errkit.Disconnected}.check(t, err)
			if name == "reset" && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("error %v hides its cause", err)
			}
		})
	}
}

// TestCloseIsNotPatient: the alert by which TLS takes its leave waits for nobody when the device has gone.
func TestCloseIsNotPatient(t *testing.T) {
	t.Parallel()
	cert, err := certs.SelfSigned("kvm.example") // made outside the bubble
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		l := tls.NewListener(listen(t, network, "kvm.example:443"), &tls.Config{Certificates: []tls.Certificate{cert}})
		serve(t, l, func(w http.ResponseWriter, _ *http.Request) {
			network.ResetAll()
			reply(w, http.StatusOK, atxOn)
		})
		c := newClient(t, "https://kvm.example", on(network, pikvm.Options{InsecureSkipTLSVerify: true, Timeout: time.Minute}))
		began := time.Now()
		_, err := c.ATX.State(t.Context())
		failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection | errkit.Disconnected}.check(t, err)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}
