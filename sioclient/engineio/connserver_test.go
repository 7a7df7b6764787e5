package engineio_test

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// numbered is a handler that checks that the messages which come are numbered without a gap: those that are binary and
// those that are text in turns.
type numbered struct {
	mu       sync.Mutex
	changed  sync.Cond
	next     int
	fault    string
	upgrades int
	closed   int
	reason   engineio.Reason
	err      error
}

func newNumbered() *numbered {
	n := &numbered{}
	n.changed.L = &n.mu
	return n
}

// message returns message number i.
func (*numbered) message(i int) engineio.Message {
	if i%3 == 1 {
		return engineio.Binary(binary.BigEndian.AppendUint32(nil, uint32(i)))
	}
	return engineio.Text(strconv.Itoa(i) + "€")
}

func (n *numbered) HandleMessage(isBinary bool, data []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	want := string(binary.BigEndian.AppendUint32(nil, uint32(n.next)))
	if n.next%3 != 1 {
		want = strconv.Itoa(n.next) + "€"
	}
	if n.fault == "" && (string(data) != want || isBinary != (n.next%3 == 1)) {
		n.fault = fmt.Sprintf("message %d is %q", n.next, data)
	}
	n.next++
	n.changed.Broadcast()
}

func (n *numbered) HandleUpgrade() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.upgrades++
	n.changed.Broadcast()
}

func (n *numbered) HandleClose(reason engineio.Reason, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed++
	n.reason, n.err = reason, err
	n.changed.Broadcast()
}

// wait waits for so many messages and upgrades, or the end.
func (n *numbered) wait(messages, upgrades int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for (n.next < messages || n.upgrades < upgrades) && n.closed == 0 && n.fault == "" {
		n.changed.Wait()
	}
}

// waitClosed waits for the end.
func (n *numbered) waitClosed() engineio.Reason {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.closed == 0 {
		n.changed.Wait()
	}
	return n.reason
}

// check checks what came.
func (n *numbered) check(t *testing.T, side string, messages int) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fault != "" {
		t.Errorf("%s: %s", side, n.fault)
	}
	if n.next != messages {
		t.Errorf("%s: got %d messages, want %d; %s %v", side, n.next, messages, n.reason, n.err)
	}
}

// pair is a client and the session of the server that belongs to it.
type pair struct {
	network *netem.Network
	engine  *engineio.Server
	server  *http.Server
	served  sync.WaitGroup

	client  *numbered
	conn    *engineio.Conn
	session chan *engineio.Session
	remote  *numbered
}

// newPair starts a server in memory. Each session of it goes to session, and remote gets its messages.
func newPair(t *testing.T, opts engineio.ServerOptions) *pair {
	t.Helper()
	p := &pair{network: netem.New(nil), session: make(chan *engineio.Session, 1)}
	if opts.OnSession == nil {
		opts.OnSession = func(s *engineio.Session) engineio.Handler {
			p.remote = newNumbered()
			p.session <- s
			return p.remote
		}
	}
	var err error
	if p.engine, err = engineio.NewServer(&opts); err != nil {
		t.Fatal(err)
	}
	listener, err := p.network.Listen("server.test:80")
	if err != nil {
		t.Fatal(err)
	}
	p.server = &http.Server{Handler: p.engine, ErrorLog: quietLog()}
	p.served.Go(func() { _ = p.server.Serve(listener) }) // until it is closed
	return p
}

func (p *pair) close() {
	_ = p.engine.Close()
	_ = p.server.Close()
	p.network.ResetAll()
	p.served.Wait()
}

// dial connects a client.
func (p *pair) dial(t *testing.T, opts engineio.DialOptions) error {
	t.Helper()
	opts.DialContext = p.network.DialContext
	p.client = newNumbered()
	var err error
	p.conn, err = engineio.Dial(t.Context(), "http://server.test", &opts, p.client)
	return err
}

// pairRows are the ways to connect.
var pairRows = map[string]engineio.DialOptions{
	"polling":               {DisableUpgrade: true},
	"websocket":             {Transports: webSocketOnly},
	"upgrade":               {},
	"polling revision 3":    {EngineVersion: 3, DisableUpgrade: true},
	"websocket revision 3":  {EngineVersion: 3, Transports: webSocketOnly},
	"upgrade revision 3":    {EngineVersion: 3},
	"polling in base64":     {ForceBase64: true, DisableUpgrade: true},
	"websocket in base64":   {ForceBase64: true, Transports: webSocketOnly},
	"polling 3 in base64":   {EngineVersion: 3, ForceBase64: true, DisableUpgrade: true},
	"websocket 3 in base64": {EngineVersion: 3, ForceBase64: true, Transports: webSocketOnly},
	"compressed":            {Compression: true, CompressionThreshold: 1},
}

// TestClientServer: 1,000 messages in each direction that wait already when the connection opens, and during an upgrade,
// and as many while it goes on, arrive once and in order.
func TestClientServer(t *testing.T) {
	t.Parallel()
	const count = 1000
	for name, opts := range pairRows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, engineio.ServerOptions{AllowEIO3: true})
				defer p.close()
				opened := make(chan *engineio.Conn, 1)
				opts.OnOpen = func(c *engineio.Conn) {
					for i := range count {
						if err := c.Send(p.client.message(i)); err != nil {
							t.Error(err)
						}
					}
					opened <- c
				}
				sent := make(chan bool)
				go func() {
					defer close(sent)
					session := <-p.session
					for i := range 2 * count {
						if err := session.Send(p.remote.message(i)); err != nil {
							t.Error(err)
						}
						if i > count && i%10 == 0 {
							time.Sleep(time.Millisecond)
						}
					}
				}()
				if err := p.dial(t, opts); err != nil {
					t.Fatal(err)
				}
				conn := <-opened
				for i := count; i < 2*count; i++ {
					mustSend(t, conn, p.client.message(i))
					if i%10 == 0 {
						time.Sleep(time.Millisecond)
					}
				}
				<-sent
				upgrades := 0
				if !opts.DisableUpgrade && opts.Transports == nil {
					upgrades = 1
				}
				p.client.wait(2*count, upgrades)
				p.remote.wait(2*count, upgrades)
				p.client.check(t, "client", 2*count)
				p.remote.check(t, "server", 2*count)
				check(t, upgrades, p.client.upgrades)
				check(t, upgrades == 1, conn.Upgraded())
				conn.Close(false)
				conn.Wait()
				check(t, sioclient.ForcedClose, p.client.waitClosed())
				check(t, sioclient.TransportClose, p.remote.waitClosed())
			})
		})
	}
}

// TestClientServerIdle: the heartbeat keeps an idle connection alive, and either end notices the end of the other.
func TestClientServerIdle(t *testing.T) {
	t.Parallel()
	for name, opts := range pairRows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, engineio.ServerOptions{AllowEIO3: true})
				defer p.close()
				if err := p.dial(t, opts); err != nil {
					t.Fatal(err)
				}
				session := <-p.session
				time.Sleep(10*time.Minute + time.Second) // not in the moment of a heartbeat
				check(t, 0, p.client.closed+p.remote.closed)
				session.Close(false)
				p.conn.Wait()
				check(t, sioclient.TransportClose, p.client.reason)
				check(t, sioclient.ForcedClose, p.remote.waitClosed())
			})
		})
	}
}

// TestClientServerGone: a link on which nothing arrives any more is noticed by both ends within the heartbeat.
func TestClientServerGone(t *testing.T) {
	t.Parallel()
	for name, opts := range pairRows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, engineio.ServerOptions{AllowEIO3: true})
				defer p.close()
				if err := p.dial(t, opts); err != nil {
					t.Fatal(err)
				}
				<-p.session
				time.Sleep(time.Minute)
				p.network.Blackhole("")
				p.network.Cut(netem.Swallow)
				start := time.Now()
				p.conn.Wait()
				p.remote.waitClosed()
				check(t, sioclient.PingTimeout, p.client.reason)
				if took := time.Since(start); took > 50*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// calls is a log that calls a function for each entry.
type calls func()

func (c calls) Write(p []byte) (int, error) {
	c()
	return len(p), nil
}

// TestLoggerCallsBack: a log that goes out over the very connection, or asks it, does not hang it up.
func TestLoggerCallsBack(t *testing.T) {
	t.Parallel()
	for name, opts := range pairRows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var session atomic.Pointer[engineio.Session]
				var conn atomic.Pointer[engineio.Conn]
				opts.Logger = slog.New(slog.NewTextHandler(calls(func() {
					if s, c := session.Load(), conn.Load(); s != nil && c != nil {
						_ = s.Send(engineio.Text("log")) // fails once the end is near
						_ = c.Send(engineio.Text("log"))
					}
				}), &slog.HandlerOptions{Level: slog.LevelDebug}))
				opts.OnOpen = conn.Store
				p := newPair(t, engineio.ServerOptions{AllowEIO3: true, Logger: opts.Logger})
				defer p.close()
				if err := p.dial(t, opts); err != nil {
					t.Fatal(err)
				}
				session.Store(<-p.session)
				synctest.Wait()
				p.conn.Close(false)
				p.conn.Wait()
				p.remote.waitClosed()
			})
		})
	}
}

// TestClientServerLeavesNothing: on real sockets 1,000 messages come back in order, and no goroutine is left after the end.
func TestClientServerLeavesNothing(t *testing.T) {
	leak.Check(t)
	engine, err := engineio.NewServer(&engineio.ServerOptions{
		OnSession: func(s *engineio.Session) engineio.Handler {
			return &owner{session: s, echo: true, closed: make(chan closing, 1)}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := newLocalServer(t, engine)
	for name, opts := range pairRows {
		if opts.EngineVersion == 3 {
			continue
		}
		h := newNumbered()
		conn, err := engineio.Dial(t.Context(), server, &opts, h)
		if err != nil {
			t.Fatal(name, err)
		}
		const count = 1000
		for i := range count {
			mustSend(t, conn, h.message(i))
		}
		h.wait(count, 0)
		h.check(t, name, count)
		conn.Close(false)
		conn.Wait()
		check(t, sioclient.ForcedClose, h.waitClosed())
	}
	if err := engine.Close(); err != nil {
		t.Error(err)
	}
}
