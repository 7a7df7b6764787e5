package wsclient_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// storm is the size of the tests in which connections are lost while messages flow: messages, and losses of a connection.
func storm() (messages, cuts int) { return size(100_000, 20_000, 1_000_000), size(20, 10, 100) }

// coast is a server behind a wire that can be cut. It writes down what comes.
type coast struct {
	wire     interface{ Links() []*netem.Link }
	url      string
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	acks     bool
	last     uint64        // number after which everything has been sent
	done     chan struct{} // closed when it has come
	connects chan struct{} // a connection has come about since somebody looked
	cutLast  *netem.Link

	mu      sync.Mutex // guards what follows
	spans   []span
	left    uint64 // number of the last message at which the server has left
	seen    []bool // by number
	repeats int
	over    bool // done is closed
}

// span is what came on one connection. Two may be read at the same time, when what crossed the wire before a cut is
// read after it, so each is judged on its own.
type span struct {
	first, last uint64
	jumps       int // from a number to another than the next one
}

func newCoast(acks bool, last int) *coast {
	return &coast{
		acks: acks, last: uint64(last), done: make(chan struct{}), seen: make([]bool, last+1),
		connects: make(chan struct{}, 1),
	}
}

// byTCP puts the coast on the loopback device, behind a proxy.
func (c *coast) byTCP(t *testing.T) {
	t.Helper()
	srv := c.start(t, nil)
	proxy, err := netem.NewProxy(srv.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { proxy.Close() })
	c.wire, c.url = proxy, "ws://"+proxy.Addr()
}

// byMemory puts the coast on a network in memory. On its wire is less room than the kernel gives, so fewer messages are
// lost with a connection.
func (c *coast) byMemory(t *testing.T) {
	t.Helper()
	network := netem.New(nil)
	network.Window(netem.Up, 16<<10)
	l, err := network.Listen("coast:80")
	if err != nil {
		t.Fatal(err)
	}
	c.start(t, l)
	c.wire, c.url, c.dial = network, "ws://coast:80", network.DialContext
}

func (c *coast) start(t *testing.T, l net.Listener) *wstest.Server {
	t.Helper()
	srv, err := wstest.Start(&wstest.Options{Listener: l, Handler: c.serve})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	return srv
}

func (c *coast) serve(conn *wsconn.Conn) {
	c.mu.Lock()
	n := len(c.spans)
	c.spans = append(c.spans, span{})
	c.mu.Unlock()
	var buf []byte
	for unacked := 1; ; unacked++ {
		_, data, err := conn.Read(buf)
		if err != nil {
			return
		}
		buf = data
		number := binary.BigEndian.Uint64(data)
		c.note(n, number)
		if data[farewell] != 0 && c.leaves(number) {
			_ = conn.Close(1001, "going away") // the client may be gone already
			return
		}
		if c.acks && (unacked == ackEvery || number == c.last) {
			unacked = 0
			if conn.Write(wsconn.Text, strconv.AppendUint(nil, number, 10)) != nil {
				return
			}
		}
	}
}

// note takes down a message that came on connection n.
func (c *coast) note(n int, number uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.spans[n]
	if s.first == 0 {
		s.first = number
	} else if number != s.last+1 {
		s.jumps++
	}
	s.last = number
	if c.seen[number] {
		c.repeats++
	}
	c.seen[number] = true
	if number == c.last && !c.over {
		c.over = true
		close(c.done)
	}
}

// farewell is the place in a message that tells the server to close the connection, once.
const farewell = 8

// leaves reports whether the server has not left at a message before.
func (c *coast) leaves(number uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := number > c.left
	c.left = max(c.left, number)
	return first
}

// missing returns how many messages never came.
func (c *coast) missing() int {
	n := 0
	for _, seen := range c.seen[1:] {
		if !seen {
			n++
		}
	}
	return n
}

// fresh waits for a connection after the one that was cut last, and returns its link. There may have been others in
// between: on a slow machine connections are also lost without having been cut.
func (c *coast) fresh() *netem.Link {
	for {
		<-c.connects
		if links := c.wire.Links(); len(links) > 0 && links[len(links)-1] != c.cutLast {
			return links[len(links)-1]
		}
	}
}

// cut ends the newest connection, number n, in one of the ways in which connections end. The last of them is left to
// the server: told reports whether the next message is to tell it so.
func (c *coast) cut(n int) (told bool) {
	c.cutLast = c.fresh()
	at := int64(rand.IntN(4096))
	switch n % 4 {
	case 0:
		c.cutLast.CutAfter(netem.Up, at, netem.RST)
	case 1:
		c.cutLast.CutAfter(netem.Up, at, netem.FIN)
	case 2:
		c.cutLast.CutAfter(netem.Up, at, netem.Silence)
	case 3:
		return true
	}
	return false
}

// storm connects a manager that notices a dead connection soon and dials again at once, and sends numbered messages,
// while the wire is cut again and again. It checks that the heap does not grow.
func (c *coast) storm(t *testing.T, send wsclient.SendOptions, messages, cuts int) *wsclient.Manager {
	t.Helper()
	m := connectTo(t, c.url, wsclient.Options{
		Dial:      wsclient.DialOptions{DialContext: c.dial},
		Send:      send,
		Conn:      wsconn.Options{WriteTimeout: 100 * time.Millisecond, CloseTimeout: 100 * time.Millisecond},
		Heartbeat: wsclient.HeartbeatOptions{PingInterval: 5 * time.Millisecond, PingTimeout: 200 * time.Millisecond},
		Reconnect: wsclient.ReconnectOptions{Strategy: wsclient.Immediate, MaxAttempts: wsclient.Unlimited},
		Hooks: wsclient.Hooks{OnConnect: func(wsclient.ConnectInfo) {
			select {
			case c.connects <- struct{}{}:
			default:
			}
		}},
	})
	data := make([]byte, 40)
	var before uint64
	for i := 1; i <= messages; i++ {
		if every := messages / (cuts + 1); i%every == 0 && i/every <= cuts {
			if c.cut(i / every) {
				data[farewell] = 1
			}
		}
		if i == messages {
			c.fresh() // nothing is cut behind it
		}
		binary.BigEndian.PutUint64(data, uint64(i))
		if err := m.Send(context.Background(), wsclient.Binary, data); err != nil {
			t.Fatal(err)
		}
		data[farewell] = 0
		if i == messages/10 {
			before = heap()
		}
	}
	if after := heap(); after > before+16<<20 {
		t.Errorf("the heap has grown from %d to %d bytes", before, after)
	}
	if err := m.Shutdown(t.Context()); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	<-c.done
	return m
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestStormAtLeastOnce_QU20(t *testing.T) {
	messages, cuts := storm()
	c := newCoast(true, messages)
	c.byTCP(t)
	const window = 256
	began := time.Now()
	m := c.storm(t, wsclient.SendOptions{
		Mode: wsclient.SendAtLeastOnce, Overflow: wsclient.Block,
		Ack: &wsclient.AckOptions{
			Window: window, Cumulative: true,
			ID: func(o wsclient.Outgoing) string { return strconv.FormatUint(binary.BigEndian.Uint64(o.Data), 10) },
			Extract: func(m wsclient.Message) (wsclient.Ack, bool) {
				return wsclient.Ack{IDs: []string{string(m.Data)}}, true
			},
		},
	}, messages, cuts)
	elapsed := time.Since(began)
	s := m.Stats()
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.missing(); n > 0 {
		t.Errorf("%d messages never came", n)
	}
	highest := uint64(0)
	for i, s := range c.spans {
		if s.jumps > 0 || s.first > highest+1 {
			t.Errorf("connection %d brought %d to %d with %d jumps, after %d", i, s.first, s.last, s.jumps, highest)
		}
		highest = max(highest, s.last)
	}
	if c.repeats > window*int(s.Disconnects) {
		t.Errorf("%d messages came more than once in %d connections", c.repeats, s.Connects)
	}
	// Every repetition was counted; some of the counted did not arrive.
	if s.Resent < uint64(c.repeats) || s.Resent > uint64(window)*s.Disconnects {
		t.Errorf("%d sent again, %d came again", s.Resent, c.repeats)
	}
	if s.Acked != uint64(messages) || s.OutboundDepth != 0 {
		t.Errorf("%+v", s)
	}
	if int(s.Disconnects) < cuts {
		t.Errorf("%d connections were lost, want %d", s.Disconnects, cuts)
	}
	t.Logf("%d messages through %d losses of a connection in %v: %d came twice, %d sent again",
		messages, s.Disconnects-1, elapsed.Round(time.Millisecond), c.repeats, s.Resent)
}

func TestStormAtMostOnce_QU21(t *testing.T) {
	messages, cuts := storm()
	c := newCoast(false, messages)
	c.byMemory(t)
	began := time.Now()
	m := c.storm(t, wsclient.SendOptions{Mode: wsclient.SendQueued, Overflow: wsclient.Block}, messages, cuts)
	elapsed := time.Since(began)
	s := m.Stats()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.repeats > 0 {
		t.Errorf("%d messages came again", c.repeats)
	}
	// What is missing is so between two connections.
	highest := uint64(0)
	for i, s := range c.spans {
		if s.first == 0 {
			continue
		}
		if s.jumps > 0 || s.first <= highest {
			t.Errorf("connection %d brought %d to %d with %d jumps, after %d", i, s.first, s.last, s.jumps, highest)
		}
		highest = s.last
	}
	missing := c.missing()
	if missing > int(s.MaybeLost) {
		t.Errorf("%d messages are missing, %d were counted as maybe lost", missing, s.MaybeLost)
	}
	if s.MessagesSent != uint64(messages) || s.OutboundDepth != 0 || s.OutboundDropped != 0 {
		t.Errorf("%+v", s)
	}
	if int(s.Disconnects) < cuts {
		t.Errorf("%d connections were lost, want %d", s.Disconnects, cuts)
	}
	t.Logf("%d messages through %d losses of a connection in %v: %d did not arrive, %d were counted as maybe lost",
		messages, s.Disconnects-1, elapsed.Round(time.Millisecond), missing, s.MaybeLost)
}
