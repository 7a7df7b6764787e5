//go:build !js

package wsconn

import (
	"context"
	"errors"
	"os"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// maxReason is the longest reason of a close frame, in bytes (RFC 6455, section 5.5).
const maxReason = maxControl - 2

// Close sends a close frame with code and reason and waits for that of the peer, both within
// [Options.CloseTimeout]; then it closes the connection, whatever came. Writes under way may finish in that time, reads
// under way end, and from then on every call returns a *ClosedError with Remote false.
//
// Close returns a *TimeoutError if the peer did not answer in time, although the connection is closed then as well, and
// a *ConfigError, with nothing done, for a code that must not be sent (RFC 6455, section 7.4: 1000 to 1003, 1007 to 1014
// and 3000 to 4999 may) or a reason longer than 123 bytes. On a connection that has ended already, and when called
// again, it returns nil.
func (c *Conn) Close(code int, reason string) error {
	if err := checkClose(code, reason); err != nil {
		return err
	}
	if !c.closing.CompareAndSwap(false, true) {
		<-c.closed
		return nil
	}
	defer close(c.closed)
	defer c.control.stop()
	defer c.release()
	mine := error(wserr.ClosedHere(callClose, c.target, code, reason))
	if c.end(mine) != mine {
		return nil
	}
	return c.closeHandshake(code, reason)
}

func (c *Conn) closeHandshake(code int, reason string) error {
	c.boundClose()
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	err := c.ws.Close(websocket.StatusCode(code), reason)
	if err == nil {
		return nil
	}
	failed := c.shim.writeErr()
	if f := c.shim.readErr.Load(); failed == nil && f != nil {
		failed = f.err
	}
	// Either limit may be the first to pass: that of the connection, or that of the library.
	if !errors.Is(failed, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
		return nil // the peer has gone: closed is closed
	}
	return &wserr.TimeoutError{
		Info:  errkit.Info{Class: wserr.ErrTimeout, Op: callClose, Target: c.target},
		Limit: c.opts.CloseTimeout,
	}
}

// boundClose limits what is left to do before the connection is closed.
func (c *Conn) boundClose() {
	c.wire.lastWrites(c.opts.CloseTimeout)
	// An error means that the connection is closed, so nothing is left to do.
	_ = c.wire.SetReadDeadline(time.Now().Add(c.opts.CloseTimeout))
}

// CloseNow closes the connection at once, without a close frame. It interrupts every other call, a Close that waits for
// the peer included. It returns nil.
func (c *Conn) CloseNow() error {
	if !c.closing.CompareAndSwap(false, true) {
		_ = c.wire.Close()
		<-c.closed
		return nil
	}
	defer close(c.closed)
	c.end(wserr.ClosedHere(callClose, c.target, codeAbnormal, ""))
	_ = c.wire.Close() // the connection is given up, whatever its state
	c.release()
	c.control.stop()
	return nil
}

func checkClose(code int, reason string) error {
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
	default:
		return wserr.Config(callClose, "code", "must not be sent in a close frame")
	}
	if len(reason) > maxReason {
		return wserr.Config(callClose, "reason", "longer than 123 bytes")
	}
	if !utf8.ValidString(reason) {
		return wserr.Config(callClose, "reason", "not UTF-8")
	}
	return nil
}
