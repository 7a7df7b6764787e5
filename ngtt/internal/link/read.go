package link

import (
	"errors"
	"io"
	"net"
	"slices"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// waiting is the stream as the reader of frames sees it: it knows whether somebody waits for bytes.
type waiting struct{ c *Conn }

func (w waiting) Read(p []byte) (int, error) {
	w.c.waitingSince.Store(int64(w.c.meter.now()) + 1)
	defer w.c.waitingSince.Store(0)
	return w.c.stream.Read(p)
}

// Next returns the next frame that is none of the connection's own affairs: answers to pings and requests are taken out,
// and pings of the hub are answered. The body is valid until the next call. An error is the cause of the end.
//
// While nobody calls it, nothing is read, and the hub's silence is not held against it.
func (c *Conn) Next() (wire.Frame, error) {
	for {
		f, err := c.reader.Next()
		if err != nil {
			return wire.Frame{}, c.readFailed(err)
		}
		c.framesIn.Add(1)
		switch f.Type {
		case wire.TypePing:
			c.pinged(f.TID)
		case wire.TypeDataStreamConfirm, wire.TypeDataStreamReject:
			if !c.answered(f) {
				return f, nil
			}
		default:
			return f, nil
		}
	}
}

// pinged takes the answer to a ping, or answers a ping of the hub.
func (c *Conn) pinged(id uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.meter.now()
	i := slices.IndexFunc(c.pings, func(p ping) bool { return p.id == id })
	if i < 0 {
		if now-c.answers >= answerInterval && c.refusal("") == nil && c.queued-c.flushed < maxQueued {
			c.answers = now
			c.push(wire.Frame{Type: wire.TypePing, TID: id}, nil)
			c.signal()
		}
		return
	}
	p := c.pings[i]
	c.pings = slices.Delete(c.pings, i, i+1)
	c.ids.free(id)
	c.rtt = now - p.at
	c.read = max(c.read, p.end)
	done := 0
	for done < len(c.unproven) && c.unproven[done].end <= p.end {
		c.unproven[done].Proven()
		done++
	}
	c.unproven = slices.Delete(c.unproven, 0, done)
	c.progress()
}

// answered gives the answer to the request that waits for it, if one does.
func (c *Conn) answered(f wire.Frame) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer, ok := c.waiters[f.TID]
	if ok {
		delete(c.waiters, f.TID) // the id stays taken until its request has ended
		answer <- f.Type
	}
	return ok
}

// readFailed ends the connection because reading failed, and returns the cause.
func (c *Conn) readFailed(err error) error {
	if _, ok := errors.AsType[*wire.InvalidFrameError](err); ok {
		return c.fail("read", ngtterr.ReasonProtocol, errkit.Protocol|errkit.Disconnected, err)
	}
	return c.networkFailed("read", err)
}

// networkFailed ends the connection because of an error of the network or of TLS.
func (c *Conn) networkFailed(op string, err error) error {
	reason, kinds := ngtterr.ReasonIO, errkit.Disconnected
	switch {
	case Rejected(err):
		// With TLS 1.3 the handshake is over before the hub has looked at the device's certificate.
		reason, kinds = ngtterr.ReasonRejected, 0
	case isAlert(err):
		reason = ngtterr.ReasonTLS
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errkit.TransportKind(err).Has(errkit.Disconnected):
		reason = ngtterr.ReasonPeerClosed
	}
	return c.fail(op, reason, kinds, err)
}

// isAlert reports whether the hub ended the TLS connection with an alert.
func isAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

// Rejected reports whether the hub refused the device's certificate with an alert (RFC 8446, section 6.2).
func Rejected(err error) bool {
	return isAlert(err) && errkit.TransportKind(err).Has(errkit.Auth)
}
