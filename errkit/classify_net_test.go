package errkit_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// compareKinds checks what Classify says of a failure that really happened.
func compareKinds(t *testing.T, err error, want errkit.Kind) {
	t.Helper()
	if err == nil {
		t.Fatal("there was no error")
	}
	if got := errkit.Classify(err); got != want {
		t.Errorf("%v (%T): got %v, want %v", err, err, got, want)
	}
	if got := errkit.KindOf(err); got != want {
		t.Errorf("%v (%T): KindOf is %v, want %v", err, err, got, want)
	}
}

// serve accepts connections on 127.0.0.1 and hands each to handle, which owns it. It returns the address.
func serve(t *testing.T, handle func(*net.TCPConn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			handle(conn.(*net.TCPConn))
		}
	}()
	t.Cleanup(func() {
		_ = ln.Close() // the test is over
		<-done
	})
	return ln.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the test is over
	return conn
}

func TestClassifyClosedPort(t *testing.T) {
	t.Parallel()
	const address = "127.0.0.1:1" // not one that was free a moment ago: another program may be given that
	_, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	compareKinds(t, err, refused)

	_, err = get(t.Context(), http.DefaultTransport, "http://"+address+"/")
	compareKinds(t, err, refused)
	compareKinds(t, errkit.CleanCause(err), refused)
}

func get(ctx context.Context, transport http.RoundTripper, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return (&http.Client{Transport: transport}).Do(req)
}

// nameServer is a resolver whose server answers every question in the given way, or not at all, over in-memory
// connections.
func nameServer(t *testing.T, answer func(query []byte) []byte) *net.Resolver {
	ctx, stop := context.WithCancel(context.Background())
	var mu sync.Mutex // no connection is made any more once the test is over
	var group sync.WaitGroup
	t.Cleanup(func() {
		mu.Lock()
		stop()
		mu.Unlock()
		group.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() != nil {
			return nil, net.ErrClosed
		}
		client, server := net.Pipe()
		context.AfterFunc(ctx, func() { _ = server.Close() })
		group.Go(func() {
			defer server.Close()
			for answerOne(server, answer) == nil {
				continue
			}
		})
		return client, nil
	}}
}

// answerOne handles one message. On streams it comes after its length (RFC 1035, section 4.2.2).
func answerOne(conn net.Conn, answer func(query []byte) []byte) error {
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return err
	}
	query := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, query); err != nil {
		return err
	}
	reply := answer(query)
	if reply == nil {
		return nil
	}
	_, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
	return err
}

func TestClassifyNoSuchHost(t *testing.T) {
	t.Parallel()
	resolver := nameServer(t, func(query []byte) []byte {
		query[2] |= 0x80              // an answer
		query[3] = query[3]&^0x0f | 3 // no such name (RFC 1035, section 4.1.1)
		query[10], query[11] = 0, 0   // without additional records
		end := 12 + strings.IndexByte(string(query[12:]), 0) + 5
		return query[:end]
	})
	dialer := &net.Dialer{Resolver: resolver}
	_, err := dialer.DialContext(t.Context(), "tcp", "kvm.invalid:443")
	compareKinds(t, err, refused)
	if e, ok := errors.AsType[*net.DNSError](err); !ok || !e.IsNotFound {
		t.Errorf("it is %#v", err)
	}
}

func TestClassifyResolverUnreachable(t *testing.T) {
	t.Parallel()
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errRefused
	}}
	_, err := resolver.LookupHost(t.Context(), "kvm.invalid")
	compareKinds(t, err, refused)
}

func TestClassifyDialCanceled(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := new(net.Dialer).DialContext(canceled, "tcp", "127.0.0.1:1")
	compareKinds(t, err, errkit.Canceled|refused)

	expired, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	_, err = new(net.Dialer).DialContext(expired, "tcp", "127.0.0.1:1")
	compareKinds(t, err, errkit.Timeout|refused)
}

// While the name is looked up, so that the dial hangs for certain until the context ends.
func TestClassifyContextEndsWhileDialing(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 16)
	silent := nameServer(t, func([]byte) []byte {
		asked <- struct{}{}
		return nil
	})
	dialer := &net.Dialer{Resolver: silent}

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := dialer.DialContext(ctx, "tcp", "kvm.invalid:443")
	compareKinds(t, err, errkit.Canceled|refused)

	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = dialer.DialContext(ctx, "tcp", "kvm.invalid:443")
	compareKinds(t, err, errkit.Timeout|refused)
}

func TestClassifyReadDeadline(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	address := serve(t, func(conn *net.TCPConn) {
		<-hold
		_ = conn.Close() // nothing was written
	})
	t.Cleanup(func() { close(hold) })
	conn := dial(t, address)
	if err := conn.SetDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	_, err := conn.Read(make([]byte, 1))
	compareKinds(t, err, errkit.Timeout)
	_, err = conn.Write([]byte("x"))
	compareKinds(t, err, errkit.Timeout)
}

func TestClassifyReset(t *testing.T) {
	t.Parallel()
	address := serve(t, func(conn *net.TCPConn) {
		_, _ = conn.Read(make([]byte, 1)) // wait until the peer is there
		_ = conn.SetLinger(0)             // close with RST
		_ = conn.Close()
	})
	conn := dial(t, address)
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	_, err := conn.Read(make([]byte, 1))
	compareKinds(t, err, errkit.Disconnected)
	if errors.Is(err, io.EOF) {
		t.Error("the connection was not reset but closed")
	}
}

func TestClassifyPeerCloses(t *testing.T) {
	t.Parallel()
	address := serve(t, func(conn *net.TCPConn) { _ = conn.Close() })
	_, err := dial(t, address).Read(make([]byte, 1))
	compareKinds(t, err, errkit.Disconnected)
}

func TestClassifyOwnClose(t *testing.T) {
	t.Parallel()
	address := serve(t, func(conn *net.TCPConn) { _ = conn.Close() })
	conn := dial(t, address)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := conn.Read(make([]byte, 1))
	compareKinds(t, err, errkit.Closed)

	client, server := net.Pipe()
	if err := errors.Join(client.Close(), server.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = client.Read(make([]byte, 1))
	compareKinds(t, err, errkit.Closed)
}

func TestClassifyEndOfBody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half") // the server ends the connection since the rest is missing
	}))
	t.Cleanup(server.Close)
	resp, err := get(t.Context(), server.Client().Transport, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	compareKinds(t, err, errkit.Disconnected)
}

func TestClassifyRequestContext(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		select {
		case <-leave:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(leave) })

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-entered
		cancel()
	}()
	_, err := get(ctx, server.Client().Transport, server.URL)
	compareKinds(t, err, errkit.Canceled)

	late := &overdue{context.Background(), make(chan struct{})}
	go func() {
		<-entered
		close(late.done)
	}()
	_, err = get(late, server.Client().Transport, server.URL)
	compareKinds(t, err, errkit.Timeout)
}

// overdue is a context whose deadline passes when done is closed. By the clock it might pass while the peer is still
// being dialled.
type overdue struct {
	context.Context
	done chan struct{}
}

func (c *overdue) Done() <-chan struct{} { return c.done }

func (c *overdue) Err() error {
	select {
	case <-c.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
