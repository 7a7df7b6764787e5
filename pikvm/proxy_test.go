package pikvm_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// serveProxy runs a proxy that asks for a password and tunnels one connection at a time.
func serveProxy(t *testing.T, network *netem.Network) {
	t.Helper()
	l := listen(t, network, "proxy.example:3128")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			tunnel(t, network, conn)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
}

func tunnel(t *testing.T, network *netem.Network, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	if r.Method != http.MethodConnect {
		t.Errorf("proxy got %s %s", r.Method, r.URL)
		return
	}
	if len(r.Header["X-Kvmd-Passwd"]) > 0 {
		t.Error("the proxy got the password of the device")
	}
	if r.Header.Get("Proxy-Authorization") == "" {
		_, _ = io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
		return
	}
	device, err := network.DialContext(t.Context(), "tcp", r.Host)
	if err != nil {
		_, _ = io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	defer func() { _ = device.Close() }()
	_, _ = io.WriteString(conn, "HTTP/1.1 200 Connected\r\n\r\n")
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(conn, device)
		_ = conn.Close()
	}()
	_, _ = io.Copy(device, conn)
	_ = device.Close()
	<-back
}

// TestProxy checks requests and sockets through a proxy: it sees neither the password of the device nor, in a text,
// anybody sees that of the proxy.
func TestProxy(t *testing.T) {
	t.Parallel()
	d := newDeviceCerts(t)
	for _, tc := range []struct {
		name, proxy string
		down        bool
		want        error
	}{
		{name: "good", proxy: "http://user:PR0XYPASS@proxy.example:3128"},
		{name: "no password", proxy: "http://proxy.example:3128", want: pikvm.ErrConnect},
		{name: "device down", proxy: "http://user:PR0XYPASS@proxy.example:3128", down: true, want: pikvm.ErrConnect},
		{name: "no proxy there", proxy: "http://user:PR0XYPASS@nowhere.example:3128", want: pikvm.ErrConnect},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			serveProxy(t, network)
			if !tc.down {
				serveTLS(t, network, tlsWith(d.good), func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/api/ws" {
						reply(w, http.StatusForbidden, forbidden)
						return
					}
					reply(w, http.StatusOK, atxOn)
				})
			}
			address, err := url.Parse(tc.proxy)
			if err != nil {
				t.Fatal(err)
			}
			opts := pikvm.Options{Password: "secret", RootCAs: d.ca.Pool(), Proxy: http.ProxyURL(address)}
			opts.DialContext = func(ctx context.Context, kind, addr string) (net.Conn, error) {
				if addr == "kvm.example:443" {
					t.Error("dialled the device itself")
				}
				return network.DialContext(ctx, kind, addr)
			}
			c := newClient(t, kvmHTTPS, &opts)
			_, err = c.ATX.State(t.Context())
			if !errors.Is(err, tc.want) {
				t.Errorf("error of a request is %v, want %v", err, tc.want)
			}
			_ = c.Close() // frees the tunnel
			c = newClient(t, kvmHTTPS, &opts)
			_, socketErr := c.DialSocket(t.Context(), "/api/ws")
			if tc.want == nil {
				tc.want = pikvm.ErrAuth
			}
			if !errors.Is(socketErr, tc.want) {
				t.Errorf("error of a socket is %v, want %v", socketErr, tc.want)
			}
			for _, err := range []error{err, socketErr} {
				if err != nil && strings.Contains(errkit.Detail(err)+err.Error(), "PR0XYPASS") {
					t.Errorf("the proxy's password is in %s", errkit.Detail(err))
				}
			}
		})
	}
}

// TestNoProxy checks that the proxy of the environment is used only by those who ask for it.
func TestNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://proxy.example:3128")
	t.Setenv("HTTPS_PROXY", "http://proxy.example:3128")
	var dialled []string
	for _, address := range []string{kvmHTTP, kvmHTTPS} {
		c := newClient(t, address, &pikvm.Options{DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
			dialled = append(dialled, addr)
			return nil, errors.New("no network")
		}})
		_, _ = c.ATX.State(t.Context())
		_, _ = c.DialSocket(t.Context(), "/api/ws")
	}
	want := "kvm.example:80 kvm.example:80 kvm.example:443 kvm.example:443"
	if got := strings.Join(dialled, " "); got != want {
		t.Errorf("dialled %s, want %s", got, want)
	}
}
