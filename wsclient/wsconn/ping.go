//go:build !js

package wsconn

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// control holds the pings and pongs that wait for their turn on the wire. The library's own would give up after five
// seconds behind a long message on a slow link, and end the connection.
type control struct {
	pending atomic.Bool // whether there may be something to send
	senders sync.WaitGroup

	mu      sync.Mutex // guards what follows
	stopped bool       // whether no more senders may start
	unsent  []*ping
	waiting map[string]*ping // by payload
	pong    []byte           // payload of the last ping that was not answered; nil if there is none
}

type ping struct {
	payload string
	sent    chan time.Time     // gets the time when the ping goes out
	rtt     chan time.Duration // gets the time to the pong
	at      time.Time          // when it went out; guarded by control.mu
}

// Ping sends a ping and returns the time until its pong. Someone must be reading meanwhile.
//
// Any byte that arrives is a sign of life, so a pong behind a long message does no harm: Ping waits as long as
// something comes in. When nothing does for [Options.PingTimeout] after the ping went out, it returns a *TimeoutError;
// a process that was suspended in between waits for as long again.
// It also returns when ctx is done, with an error that matches ctx.Err(). Neither ends the connection; that is up to the
// caller.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	p, err := c.startPing()
	if err != nil {
		return 0, err
	}
	defer c.control.forget(p)

	var silence *time.Timer
	var silent <-chan time.Time
	var sent time.Time
	for {
		select {
		case <-c.dead:
			return 0, c.Err()
		case <-ctx.Done():
			return 0, c.pingCanceled(ctx)
		case rtt := <-p.rtt:
			return rtt, nil
		case sent = <-p.sent:
			if c.opts.PingTimeout > 0 {
				silence = time.NewTimer(c.opts.PingTimeout)
				defer silence.Stop()
				silent = silence.C
			}
		case <-silent:
			last := c.LastRead()
			if last.Before(sent) {
				last = sent
			}
			left := c.opts.PingTimeout - time.Since(last)
			if left <= -c.opts.PingTimeout/4 {
				// This process did not run in between. What arrived meanwhile is not read yet.
				sent, left = time.Now(), c.opts.PingTimeout
			}
			if left <= 0 {
				return 0, &wserr.TimeoutError{
					Info:  errkit.Info{Class: wserr.ErrTimeout, Op: callPing, Target: c.target},
					Limit: c.opts.PingTimeout,
				}
			}
			silence.Reset(left)
		}
	}
}

func (c *Conn) pingCanceled(ctx context.Context) error {
	err := errkit.FromContext(ctx)
	info := errkit.Info{Op: callPing, Target: c.target, Kind: errkit.TransportKind(err), Err: err}
	if info.Kind.Has(errkit.Timeout) {
		info.Class = wserr.ErrTimeout
		return &wserr.TimeoutError{Info: info}
	}
	info.Class = wserr.Err
	return &errkit.Basic{Info: info}
}

// startPing queues a ping and sees to it that somebody sends it. That is done by a goroutine of its own: the write may
// block for longer than the caller wants to wait.
func (c *Conn) startPing() (*ping, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	k := &c.control
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return nil, c.Err()
	}
	p := &ping{
		payload: rand.Text(), // so that no pong fits by chance
		sent:    make(chan time.Time, 1),
		rtt:     make(chan time.Duration, 1),
	}
	if k.waiting == nil {
		k.waiting = make(map[string]*ping)
	}
	k.waiting[p.payload] = p
	k.unsent = append(k.unsent, p)
	k.pending.Store(true)
	k.senders.Go(c.sendControls)
	return p, nil
}

func (k *control) forget(p *ping) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.waiting, p.payload)
	k.unsent = slices.DeleteFunc(k.unsent, func(q *ping) bool { return q == p })
}

// stop waits for the goroutines that send pings; no more of them start.
func (k *control) stop() {
	k.mu.Lock()
	k.stopped = true
	k.mu.Unlock()
	k.senders.Wait()
}

// pingReceived is called by the library, inside a read. The answer to an earlier ping that has not gone out yet is
// left out (RFC 6455, section 5.5.3), so a flood of pings takes no memory.
func (c *Conn) pingReceived(_ context.Context, payload []byte) bool {
	k := &c.control
	k.mu.Lock()
	k.pong = append(make([]byte, 0, maxControl), payload...)
	k.mu.Unlock()
	k.pending.Store(true)
	c.sendControls()
	return false
}

// pongReceived is called by the library, inside a read. Pongs that nobody waits for are ignored.
func (c *Conn) pongReceived(_ context.Context, payload []byte) {
	k := &c.control
	k.mu.Lock()
	defer k.mu.Unlock()
	if p := k.waiting[string(payload)]; p != nil && !p.at.IsZero() {
		delete(k.waiting, p.payload)
		p.rtt <- time.Since(p.at)
	}
}

// sendControls sends the control frames that wait, unless a writer is at work: that one does it at the end of its turn.
func (c *Conn) sendControls() {
	for c.control.pending.Load() && c.writeMu.TryLock() {
		err := c.shim.writeControl(c.takeControls())
		c.writeMu.Unlock()
		if err != nil {
			c.controlFailed(err)
			return
		}
	}
}

// takeControls returns the control frames that wait; they are good until the next call. It runs with writeMu held.
func (c *Conn) takeControls() []byte {
	k := &c.control
	if !k.pending.Swap(false) {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	c.frames = c.frames[:0]
	if k.pong != nil {
		c.frames = appendControl(c.frames, opPong, k.pong, c.shim.client)
		k.pong = nil
	}
	now := time.Now()
	for _, p := range k.unsent {
		c.frames = appendControl(c.frames, opPing, []byte(p.payload), c.shim.client)
		p.at = now
		p.sent <- now
	}
	k.unsent = slices.Delete(k.unsent, 0, len(k.unsent))
	return c.frames
}

// controlFailed handles a failed write of a control frame. It may run inside a callback of the library, so that it can
// only leave the verdict to a reader (see writeFailed), not read itself.
func (c *Conn) controlFailed(err error) {
	if c.readMu.Held() && c.peerMayHaveClosed(err) {
		_ = c.wire.SetReadDeadline(time.Now().Add(c.opts.CloseTimeout))
		return
	}
	c.networkFailed(callSend, err)
}
