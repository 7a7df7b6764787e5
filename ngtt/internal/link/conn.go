package link

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// Mark travels with a frame and learns how far it came. Its methods are called at most once each, Flushed first, from
// goroutines of the connection; they must be quick and must not call the connection.
type Mark interface {
	Flushed() // the frame was handed to the operating system
	Proven()  // the hub has read the frame: it has answered a ping that went out behind it
}

// Conn is one connection. One goroutine at a time calls [Conn.Next], all the time; the other methods may be called from any
// goroutine. One goroutine of its own keeps the time and writes what callers do not write themselves; [Conn.Close] waits for
// it.
type Conn struct {
	opts   Options
	stream net.Conn // with TLS
	meter  *meter   // below TLS
	reader *wire.Reader
	writer sync.WaitGroup

	ended atomic.Pointer[failure] // the first cause
	dead  chan struct{}           // closed when there is one

	// waitingSince is when Next began to wait for bytes, since the beginning of the connection and plus one; 0 while
	// it does not wait. A reader that does not wait has more than enough to do, so silence is no fault of the hub.
	waitingSince atomic.Int64

	wake chan struct{} // tells the writer that there is something new

	mu sync.Mutex // guards what follows

	closing bool   // no more frames are taken
	out     []byte // frames to be written
	queued  int64  // position in the stream behind out
	flushed int64  // position in the stream up to which all is written
	read    int64  // position in the stream up to which the hub is known to have read
	spare   []byte // the buffer that is not out, empty
	writing bool   // whether somebody writes; one goroutine at a time
	failed  error  // of a write; nothing is written after it

	lastWrite time.Duration // when something was written last
	deadline  time.Duration // of writes; belongs to whoever writes
	moved     chan struct{} // made by who waits, closed when something was written or proven; else nil

	unflushed []waitingMark
	unproven  []waitingMark

	ids     ids
	pings   []ping // unanswered, oldest first
	waiters map[uint16]chan wire.Type
	prove   bool          // a ping is wanted now
	rtt     time.Duration // of the last ping
	answers time.Duration // when a ping of the hub was last answered

	framesIn, framesOut atomic.Int64
}

type failure struct{ err error }

// waitingMark is a mark and the position behind its frame.
type waitingMark struct {
	Mark
	end int64
	at  time.Duration // when it was flushed
}

type ping struct {
	id  uint16
	end int64 // position behind the ping
	at  time.Duration
}

// newConn starts a connection on a stream whose network connection is metered.
func newConn(stream net.Conn, m *meter, opts Options) *Conn {
	c := &Conn{
		opts: opts, stream: stream, meter: m,
		dead: make(chan struct{}), wake: make(chan struct{}, 1),
		waiters: make(map[uint16]chan wire.Type), answers: -answerInterval,
	}
	c.reader = wire.NewReader(waiting{c}, opts.MaxBody)
	c.writer.Go(c.write)
	return c
}

// Done returns a channel that is closed when the connection has ended; [Conn.Err] then says why.
func (c *Conn) Done() <-chan struct{} { return c.dead }

// Err returns what ended the connection, a *[ngtterr.ConnectionFailedError], or nil while it lives.
func (c *Conn) Err() error {
	if f := c.ended.Load(); f != nil {
		return f.err
	}
	return nil
}

// Stats are the counters of a connection. Bytes are those on the network, TLS and handshake included.
type Stats struct {
	BytesIn, BytesOut   int64
	FramesIn, FramesOut int64
	RTT                 time.Duration // of the last ping; 0 before the first answer
	Queued              int           // bytes that wait to be written
	Unproven            int           // marks that the hub is not known to have read
}

// Stats returns the counters as they are now.
func (c *Conn) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		BytesIn: c.meter.in.Load(), BytesOut: c.meter.out.Load(),
		FramesIn: c.framesIn.Load(), FramesOut: c.framesOut.Load(),
		RTT: c.rtt, Queued: int(c.queued - c.flushed), Unproven: len(c.unproven) + len(c.unflushed),
	}
}

// end makes err the cause unless there is one already, and lets go of everybody who waits. It returns the cause.
func (c *Conn) end(err error) error {
	if c.ended.CompareAndSwap(nil, &failure{err}) {
		close(c.dead)
		// Not through TLS, which would wait for a peer that takes no data.
		_ = c.meter.Close() // there is a cause already
	}
	return c.Err()
}

// fail ends the connection for a reason of its own.
func (c *Conn) fail(op string, reason ngtterr.Reason, kinds errkit.Kind, cause error) error {
	return c.end(&ngtterr.ConnectionFailedError{
		Info: errkit.Info{
			Class: ngtterr.ErrConnectionFailed, Op: op, Target: c.opts.Target, Err: errkit.CleanCause(cause),
			Kind: kinds | errkit.TransportKind(cause)&^errkit.NotSent,
		},
		Reason: reason,
	})
}

// Fail ends the connection at once because the hub broke the protocol, or because its frames cannot be served any more.
func (c *Conn) Fail(reason ngtterr.Reason, cause error) error {
	return c.fail("read", reason, errkit.Disconnected, cause)
}

// Abort ends the connection at once. What was not written is lost.
func (c *Conn) Abort() { _ = c.fail("close", ngtterr.ReasonClosing, errkit.Closed, nil) }

// Close is Abort, and waits for the goroutine of the connection. It may be called again.
func (c *Conn) Close() {
	c.Abort()
	c.writer.Wait()
}

// Shutdown takes no more frames, writes those that are queued, makes sure that the hub has read the marked ones,
// closes the connection in order, and waits for the hub to do the same. Someone must call [Conn.Next] meanwhile.
// Whatever is left when ctx ends, or when the hub does not play along for five seconds, ends with a [Conn.Close].
func (c *Conn) Shutdown(ctx context.Context) error {
	defer c.Close()
	c.mu.Lock()
	c.closing = true
	c.prove = len(c.unproven)+len(c.unflushed) > 0
	c.mu.Unlock()
	c.signal()
	if err := c.await(ctx, func() bool { return c.flushed == c.queued && !c.prove }); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lingerTimeout)
	defer cancel()
	_ = c.await(ctx, func() bool { return len(c.unproven) == 0 }) // a hub that answers no pings has read them nonetheless
	if err := c.Err(); err != nil {
		return err
	}
	// Closing with bytes unread would reset the connection, and the reset might overtake what was sent last.
	if stream, ok := c.stream.(interface{ CloseWrite() error }); ok && stream.CloseWrite() == nil {
		select {
		case <-c.dead:
		case <-ctx.Done():
		}
	}
	return nil
}

// await waits until done, called with mu held, returns true. It returns the cause if the connection ends before, and
// the error of ctx if that does.
func (c *Conn) await(ctx context.Context, done func() bool) error {
	for {
		c.mu.Lock()
		ok, moved := done(), c.watch()
		c.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-moved:
		case <-c.dead:
			return c.Err()
		case <-ctx.Done():
			return ngtterr.Interrupted(ctx, "shutdown", c.opts.Target)
		}
	}
}

// watch returns a channel that is closed when something was written or proven. It runs with mu held.
func (c *Conn) watch() <-chan struct{} {
	if c.moved == nil {
		c.moved = make(chan struct{})
	}
	return c.moved
}

// progress tells those who wait that something was written or proven. It runs with mu held.
func (c *Conn) progress() {
	if c.moved != nil {
		close(c.moved)
		c.moved = nil
	}
}

// signal wakes the writer.
func (c *Conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
