package link

import (
	"context"
	"math"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// Send queues a frame, which goes out at once, together with what else has come meanwhile. It waits while too
// much is queued, but frames without a body always have room: they answer frames of the hub, which bounds their number.
// The body is copied. A nil error says that the frame is queued, not that it is sent: see [Mark].
//
// A body above the limit is an *InvalidFrameError. When the connection has ended, its cause comes back; op names the
// call in every other error.
func (c *Conn) Send(ctx context.Context, op string, f wire.Frame, mark Mark) error {
	if err := c.check(f); err != nil {
		return err
	}
	size := int64(wire.HeaderSize + len(f.Body))
	for {
		c.mu.Lock()
		err := c.refusal(op)
		room := len(f.Body) == 0 || c.queued == c.flushed || c.queued-c.flushed+size <= maxQueued
		if err != nil || room {
			if err != nil {
				c.mu.Unlock()
				return err
			}
			c.push(f, mark)
			c.dispatch()
			return nil
		}
		moved := c.watch()
		c.mu.Unlock()
		select {
		case <-moved:
		case <-c.dead:
		case <-ctx.Done():
			return ngtterr.Interrupted(ctx, op, c.opts.Target)
		}
	}
}

// check turns down bodies above the limit.
func (c *Conn) check(f wire.Frame) error {
	if int64(len(f.Body)) <= c.opts.MaxBody {
		return nil
	}
	return wire.Invalid("write", wire.Header{Type: f.Type, TID: f.TID, Length: uint32(min(int64(len(f.Body)), math.MaxUint32))},
		errkit.TooLarge|errkit.Invalid|errkit.NotSent,
		"body above the limit of "+strconv.FormatInt(c.opts.MaxBody, 10)+" bytes")
}

// refusal returns why no frame is taken. It runs with mu held.
func (c *Conn) refusal(op string) error {
	if err := c.Err(); err != nil {
		return err
	}
	if c.closing {
		return &ngtterr.ConnectionFailedError{
			Info: errkit.Info{
				Class: ngtterr.ErrConnectionFailed, Op: op, Target: c.opts.Target, Kind: errkit.Closed | errkit.NotSent,
			},
			Reason: ngtterr.ReasonClosing,
		}
	}
	return nil
}

// push queues a frame that was checked. It runs with mu held.
func (c *Conn) push(f wire.Frame, mark Mark) {
	c.out, _ = wire.AppendFrame(c.out, f) // the limit is below that of the protocol
	c.queued += int64(wire.HeaderSize + len(f.Body))
	c.framesOut.Add(1)
	if mark != nil {
		c.unflushed = append(c.unflushed, waitingMark{Mark: mark, end: c.queued})
	}
}

// dispatch lets what is queued be written. As long as the hub is not known to be behind, the caller does it itself, which
// saves waking another goroutine: so few bytes fit into the buffers of the network, so it does not wait. It runs with mu
// held and gives it back.
func (c *Conn) dispatch() {
	if c.queued-c.read > maxAtOnce {
		c.mu.Unlock()
		c.signal()
		return
	}
	c.flush()
}

// Request sends a frame under a transaction id of its own and returns the id and the type of the answer, which is
// DATA_STREAM_CONFIRM or DATA_STREAM_REJECT. It waits for the answer as long as ctx and the connection live.
func (c *Conn) Request(ctx context.Context, op string, typ wire.Type, body []byte) (uint16, wire.Type, error) {
	if err := c.check(wire.Frame{Type: typ, Body: body}); err != nil {
		return 0, 0, err
	}
	c.mu.Lock()
	id, ok := c.ids.take()
	answer := make(chan wire.Type, 1)
	if ok {
		c.waiters[id] = answer
	}
	c.mu.Unlock()
	if !ok {
		return 0, 0, c.exhausted(op)
	}
	defer c.forget(id)
	if err := c.Send(ctx, op, wire.Frame{Type: typ, TID: id, Body: body}, nil); err != nil {
		return id, 0, err
	}
	select {
	case typ := <-answer:
		return id, typ, nil
	case <-c.dead:
		return id, 0, c.Err()
	case <-ctx.Done():
		return id, 0, ngtterr.Interrupted(ctx, op, c.opts.Target)
	}
}

func (c *Conn) forget(id uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiters, id)
	c.ids.free(id)
}

// exhausted reports that every transaction id is in use. That ends no connection: ids come back with the answers.
func (c *Conn) exhausted(op string) error {
	return &ngtterr.ConnectionFailedError{
		Info: errkit.Info{
			Class: ngtterr.ErrConnectionFailed, Op: op, Target: c.opts.Target, Kind: errkit.Full | errkit.NotSent,
		},
		Reason: ngtterr.ReasonIDsExhausted,
	}
}
