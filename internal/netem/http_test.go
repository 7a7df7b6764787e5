package netem_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/netem"
)

// webServer serves over TLS on a network, in a bubble.
type webServer struct {
	network *netem.Network
	client  *http.Client
	close   func()
}

func newWebServer(t *testing.T, opts *netem.Options, handler http.HandlerFunc) *webServer {
	t.Helper()
	ca, err := certs.NewCA("test authority")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Server("web.test")
	if err != nil {
		t.Fatal(err)
	}
	network := netem.New(opts)
	listener, err := network.Listen("web.test:443")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:     handler,
		IdleTimeout: time.Minute,
		ErrorLog:    log.New(io.Discard, "", 0), // handshakes that are cut on purpose
	}
	served := make(chan error, 1)
	go func() {
		served <- server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{cert}}))
	}()
	transport := &http.Transport{
		DialContext:     network.DialContext,
		TLSClientConfig: &tls.Config{RootCAs: ca.Pool()},
	}
	return &webServer{
		network: network,
		client:  &http.Client{Transport: transport},
		close: func() {
			transport.CloseIdleConnections()
			if err := server.Close(); err != nil {
				t.Error(err)
			}
			if err := <-served; !errors.Is(err, http.ErrServerClosed) {
				t.Error(err)
			}
		},
	}
}

// get returns the status and the body.
func (s *webServer) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://web.test"+path, nil)
	if err != nil {
		return "", err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s", res.StatusCode, body), err
}

func hello(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "hello "+strings.TrimPrefix(r.URL.Path, "/"))
}

// TestHTTPS runs net/http and crypto/tls over a link under a fake clock.
func TestHTTPS(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"requests share a connection": func(t *testing.T) {
			web := newWebServer(t, nil, hello)
			defer web.close()
			for _, name := range []string{"a", "b"} {
				got, err := web.get(t.Context(), "/"+name)
				check(t, "200 hello "+name, got)
				check(t, nil, err)
			}
			check(t, 1, web.network.Count())
		},
		"an idle connection is closed in time": func(t *testing.T) {
			web := newWebServer(t, nil, hello)
			defer web.close()
			if _, err := web.get(t.Context(), "/"); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if err := web.network.Links()[0].Wait(t.Context(), netem.State.Closed); err != nil {
				t.Fatal(err)
			}
			check(t, time.Minute, time.Since(start))
		},
		"latency counts": func(t *testing.T) {
			const lag = 100 * time.Millisecond
			web := newWebServer(t, &netem.Options{Latency: lag}, hello)
			defer web.close()
			start := time.Now()
			if _, err := web.get(t.Context(), "/"); err != nil {
				t.Fatal(err)
			}
			// One round trip each for TCP, TLS 1.3 and the request.
			check(t, 6*lag, time.Since(start))
		},
		"a stalled answer runs into the client's limit": func(t *testing.T) {
			web := newWebServer(t, nil, hello)
			defer web.close()
			web.network.Stall(netem.Down)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			start := time.Now()
			_, err := web.get(ctx, "/")
			check(t, true, errors.Is(err, context.DeadlineExceeded))
			check(t, time.Hour, time.Since(start))
		},
		"a body in pieces of one byte": func(t *testing.T) {
			web := newWebServer(t, nil, hello)
			defer web.close()
			web.network.Chunk(netem.Both, 1)
			got, err := web.get(t.Context(), "/"+strings.Repeat("x", 1000))
			check(t, "200 hello "+strings.Repeat("x", 1000), got)
			check(t, nil, err)
		},
		"a large body through a small window": func(t *testing.T) {
			web := newWebServer(t, &netem.Options{Window: 100}, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				_, _ = w.Write(body)
			})
			defer web.close()
			res, err := web.client.Post("https://web.test/", "text/plain", strings.NewReader(strings.Repeat("y", 100_000)))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			check(t, 100_000, len(body))
			check(t, nil, err)
		},
		"the server sees a client that goes away": func(t *testing.T) {
			gone, told := make(chan error, 1), make(chan struct{})
			web := newWebServer(t, nil, func(_ http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				gone <- r.Context().Err()
				<-told // the client says goodbye before it hangs up, and would take an answer meanwhile
			})
			defer web.close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := web.get(ctx, "/")
			close(told)
			check(t, true, errors.Is(err, context.DeadlineExceeded))
			check(t, context.Canceled.Error(), (<-gone).Error())
		},
	})
}

// TestHTTPSCut cuts a connection at many bytes of handshake and answer. Nothing may hang, whatever the byte.
func TestHTTPSCut(t *testing.T) {
	t.Parallel()
	rows := map[string]func(t *testing.T){}
	for _, mode := range []netem.CutMode{netem.FIN, netem.RST, netem.Silence, netem.Swallow} {
		for _, dir := range []netem.Direction{netem.Up, netem.Down} {
			rows[fmt.Sprintf("%v %v", mode, dir)] = func(t *testing.T) {
				web := newWebServer(t, nil, hello)
				defer web.close()
				for n := int64(0); n <= 1000; n += 40 {
					web.client.CloseIdleConnections()
					web.network.OnLink(func(l *netem.Link) { l.CutAfter(dir, n, mode) })
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					start := time.Now()
					_, err := web.get(ctx, "/")
					cancel()
					took := time.Since(start)
					switch mode {
					case netem.FIN, netem.RST:
						check(t, time.Duration(0), took)
						lost := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
							errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
						if err != nil && !lost {
							t.Errorf("after %d bytes: %v", n, err)
						}
					default:
						if err != nil && !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("after %d bytes: %v", n, err)
						}
					}
					if n < 200 && err == nil { // in the middle of the handshake
						t.Errorf("after %d bytes: no error", n)
					}
				}
			}
		}
	}
	inBubbles(t, rows)
}

// TestShutdown waits for a request under way, on a listener of the network.
func TestShutdown(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){"waits": func(t *testing.T) {
		network := netem.New(nil)
		var listener net.Listener = listen(t, network, "web.test:80")
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Minute)
			hello(w, r)
		})}
		go func() { _ = server.Serve(listener) }()
		client := &http.Client{Transport: &http.Transport{DialContext: network.DialContext, DisableKeepAlives: true}}
		body := make(chan string, 1)
		go func() {
			res, err := client.Get("http://web.test/x")
			if err != nil {
				body <- err.Error()
				return
			}
			defer func() { _ = res.Body.Close() }()
			got, _ := io.ReadAll(res.Body)
			body <- string(got)
		}()
		time.Sleep(time.Second)
		check(t, nil, server.Shutdown(t.Context()))
		check(t, "hello x", <-body)
		check(t, "ECONNREFUSED", dial(t.Context(), network, "web.test:80"))
	}})
}
