package netem_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/internal/netem"
)

// newProxy starts a proxy that is closed with the test.
func newProxy(t *testing.T, target string) *netem.Proxy {
	t.Helper()
	proxy, err := netem.NewProxy(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	return proxy
}

// newEcho starts a server that sends back what it gets, on real sockets.
func newEcho(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer context.AfterFunc(ctx, func() { _ = c.Close() })()
				_, _ = io.Copy(c, c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		work.Wait()
	})
	return l.Addr().String()
}

func dialTCP(t *testing.T, addr string) conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(conn)
}

// reach waits for a state of the link; it fails the test if that does not come.
func reach(t *testing.T, link *netem.Link, done func(netem.State) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := link.Wait(ctx, done); err != nil {
		t.Fatalf("%v; the link is %+v", err, link.State())
	}
}

// TestProxyCutAfter cuts at every byte, in both directions, in every mode, between real sockets.
func TestProxyCutAfter(t *testing.T) {
	t.Parallel()
	const message = "0123456789"
	for mode, want := range map[netem.CutMode]string{
		netem.FIN: "EOF", netem.RST: "ECONNRESET", netem.Silence: "timeout", netem.Swallow: "timeout",
	} {
		for _, dir := range []netem.Direction{netem.Up, netem.Down} {
			t.Run(mode.String()+" "+dir.String(), func(t *testing.T) {
				t.Parallel()
				for n := range len(message) + 1 {
					link, sender, receiver := proxyPair(t)
					if dir == netem.Down {
						sender, receiver = receiver, sender
					}
					check(t, []string{"ok", "before"}, []string{write(sender, "before"), read(receiver)})
					link.CutAfter(dir, int64(n), mode)
					if n > 0 {
						check(t, "ok", write(sender, message))
					}
					reach(t, link, func(s netem.State) bool { return s.Cut })
					check(t, int64(len("before")+n), link.State().Count(dir).Passed)
					passed := make([]byte, n)
					if _, err := io.ReadFull(receiver, passed); err != nil || string(passed) != message[:n] {
						t.Errorf("after %d bytes: got %q, %v", n, passed, err)
					}
					for _, end := range []conn{receiver, sender} {
						if want == "timeout" { // there is nothing on its way that could come late
							_ = end.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
						}
						check(t, "|"+want, readAll(end))
					}
				}
			})
		}
	}
}

func TestProxyStall(t *testing.T) {
	t.Parallel()
	link, a, b := proxyPair(t)
	link.Stall(netem.Up)
	check(t, "ok", write(a, "held"))
	reach(t, link, func(s netem.State) bool { return s.Up.Written == 4 })
	check(t, int64(0), link.State().Up.Passed)
	check(t, []string{"ok", "free"}, []string{write(b, "free"), read(a)})
	check(t, "ok", outcome(a.CloseWrite()))
	link.Resume(netem.Up)
	check(t, "held|EOF", readAll(b))
}

// TestProxyBackPressure shows that a stall reaches the sender, and loses nothing.
func TestProxyBackPressure(t *testing.T) {
	t.Parallel()
	link, a, b := proxyPair(t)
	link.Stall(netem.Up)
	const patience = 300 * time.Millisecond
	_ = a.SetWriteDeadline(time.Now().Add(patience))
	var sent bytes.Buffer
	for {
		p := bytes.Repeat([]byte{byte(sent.Len() >> 10)}, 10_000)
		n, err := a.Write(p)
		sent.Write(p[:n])
		if err != nil {
			check(t, "timeout", outcome(err))
			if t.Failed() || link.State().Up.Written >= netem.DefaultWindow {
				break
			}
			_ = a.SetWriteDeadline(time.Now().Add(patience)) // the proxy has not come to it yet
		}
	}
	check(t, int64(netem.DefaultWindow), link.State().Up.Written)
	_ = a.SetWriteDeadline(time.Time{})
	link.Resume(netem.Up)
	check(t, "ok", outcome(a.CloseWrite()))
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, sent.Bytes()) {
		t.Errorf("got %d bytes, want the %d that were sent: %v", len(got), sent.Len(), err)
	}
}

func TestProxyAll(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cut  func(*netem.Proxy)
		want string
	}{
		"ResetAll": {(*netem.Proxy).ResetAll, "ECONNRESET"},
		"DropAll":  {(*netem.Proxy).DropAll, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := newProxy(t, newEcho(t))
			var conns []conn
			for i := range 3 {
				c := dialTCP(t, proxy.Addr())
				check(t, []string{"ok", "hello"}, []string{write(c, "hello"), read(c)})
				conns = append(conns, c)
				check(t, i+1, proxy.Count())
			}
			check(t, 3, len(proxy.Links()))
			check(t, []int64{15, 15, 30}, []int64{proxy.Bytes(netem.Up), proxy.Bytes(netem.Down), proxy.Bytes(netem.Both)})
			links := proxy.Links()
			tc.cut(proxy)
			for _, c := range conns {
				check(t, tc.want, read(c))
				_ = c.Close()
			}
			for _, l := range links {
				reach(t, l, netem.State.Closed)
			}
			check(t, 0, len(proxy.Links()))
			c := dialTCP(t, proxy.Addr())
			check(t, []string{"ok", "again"}, []string{write(c, "again"), read(c)})
		})
	}
}

func TestProxyFaultsToCome(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t, newEcho(t))
	proxy.CutAfter(netem.Down, 3, netem.RST)
	for range 2 {
		c := dialTCP(t, proxy.Addr())
		check(t, []string{"ok", "hel|ECONNRESET"}, []string{write(c, "hello"), readAll(c)})
	}
	proxy.CutAfter(netem.Down, -1, netem.RST)
	proxy.OnLink(func(l *netem.Link) {
		if l.ID() == 4 {
			l.CutAfter(netem.Up, 2, netem.FIN)
		}
	})
	for _, want := range []string{"hello", "EOF"} { // cut before the answer
		c := dialTCP(t, proxy.Addr())
		check(t, "ok", write(c, "hello"))
		check(t, want, read(c))
	}
}

func TestProxyRefuse(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t, newEcho(t))
	c := dialTCP(t, proxy.Addr())
	check(t, []string{"ok", "x"}, []string{write(c, "x"), read(c)})
	for range 3 {
		check(t, []error{nil, nil}, []error{proxy.Refuse(true), proxy.Refuse(true)})
		_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", proxy.Addr())
		check(t, "ECONNREFUSED", outcome(err))
		check(t, []string{"ok", "y"}, []string{write(c, "y"), read(c)}) // open ones live on
		check(t, []error{nil, nil}, []error{proxy.Refuse(false), proxy.Refuse(false)})
		d := dialTCP(t, proxy.Addr())
		check(t, []string{"ok", "z"}, []string{write(d, "z"), read(d)})
	}
}

// TestProxyKeepsItsPort: while a proxy refuses, nobody else is given its port, as any outgoing connection might be.
func TestProxyKeepsItsPort(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a port with connections is not free for its listener either")
	}
	other := newEcho(t)
	proxy := newProxy(t, other)
	local, err := net.ResolveTCPAddr("tcp", proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	check(t, nil, proxy.Refuse(true))
	_, err = (&net.Dialer{LocalAddr: local}).DialContext(t.Context(), "tcp", other)
	check(t, "EADDRINUSE", outcome(err))
	check(t, nil, proxy.Refuse(false))
	c := dialTCP(t, proxy.Addr())
	check(t, []string{"ok", "x"}, []string{write(c, "x"), read(c)})
	check(t, 1, proxy.Count())
}

func TestProxyTargetDown(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t, "127.0.0.1:1") // no free port, which another program could be given
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", proxy.Addr())
	if err == nil { // else the reset came before the dialler looked
		_, err = c.Read(make([]byte, 1))
		_ = c.Close()
	}
	check(t, "ECONNRESET", outcome(err))
	check(t, 0, proxy.Count())
}

// TestProxyClose closes in the middle of everything; leak.Check and the test's end show that nothing is left.
func TestProxyClose(t *testing.T) {
	t.Parallel()
	leak.Check(t)
	proxy, err := netem.NewProxy(newEcho(t))
	if err != nil {
		t.Fatal(err)
	}
	var conns []conn
	for i, fault := range []func(*netem.Link){
		func(*netem.Link) {},
		func(l *netem.Link) { l.Stall(netem.Both) },
		func(l *netem.Link) { l.Cut(netem.Silence) },
		func(l *netem.Link) { l.Cut(netem.Swallow) },
		func(l *netem.Link) { l.Cut(netem.FIN) },
		func(l *netem.Link) { l.Latency(netem.Both, time.Hour) },
		func(l *netem.Link) { l.Bandwidth(netem.Both, 1) },
	} {
		c := dialTCP(t, proxy.Addr())
		link, err := proxy.WaitLink(t.Context(), i+1)
		if err != nil {
			t.Fatal(err)
		}
		fault(link)
		check(t, "ok", write(c, strings.Repeat("x", 10_000)))
		conns = append(conns, c)
	}
	check(t, []error{nil, nil}, []error{proxy.Close(), proxy.Close()})
	check(t, 0, len(proxy.Links()))
	for _, c := range conns {
		if _, err := io.Copy(io.Discard, c); err != nil {
			check(t, "ECONNRESET", outcome(err))
		}
	}
	_, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", proxy.Addr())
	check(t, "ECONNREFUSED", outcome(err))
	check(t, true, errors.Is(proxy.Refuse(false), net.ErrClosed))
}

// TestProxyCloseWhileDialling closes while clients come.
func TestProxyCloseWhileDialling(t *testing.T) {
	t.Parallel()
	target := newEcho(t)
	for range 10 {
		proxy, err := netem.NewProxy(target)
		if err != nil {
			t.Fatal(err)
		}
		var clients sync.WaitGroup
		first := make(chan struct{})
		var once sync.Once
		for range 4 {
			clients.Go(func() {
				for {
					c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", proxy.Addr())
					if err != nil {
						return
					}
					once.Do(func() { close(first) })
					_ = write(c, "x")
					_ = read(c)
					_ = c.Close()
				}
			})
		}
		<-first
		check(t, nil, proxy.Close())
		clients.Wait()
		check(t, 0, len(proxy.Links()))
	}
}

func TestProxyHTTP(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(hello))
	defer server.Close()
	proxy := newProxy(t, server.Listener.Addr().String())
	proxy.Chunk(netem.Both, 1)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Get("http://" + proxy.Addr() + "/proxy")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	check(t, "hello proxy", string(got))
	check(t, nil, err)
}
