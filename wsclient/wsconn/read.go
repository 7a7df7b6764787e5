//go:build !js

package wsconn

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// Close codes of RFC 6455, section 7.4.1, that this package sends by itself.
const (
	codeProtocolError = 1002
	codeAbnormal      = 1006
	codeInvalidData   = 1007
	codeTooBig        = 1009
)

// Read reads the next message and returns it in buf, from its beginning on; when buf has no room, in a larger buffer
// that it allocates. Pass the result of one call to the next, and reading allocates nothing:
//
//	var buf []byte
//	for {
//		typ, buf, err = conn.Read(buf)
//
// A message is delivered whole or not at all. Read blocks until there is one, the connection ends, or a deadline set
// by [Conn.SetReadDeadline] passes. Its errors end the connection: *ClosedError when the peer or the network did,
// *ProtocolError and *MessageTooBigError when the peer misbehaved, *TimeoutError.
func (c *Conn) Read(buf []byte) (MessageType, []byte, error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	if err := c.Err(); err != nil {
		c.awaitClose()
		return 0, nil, err
	}
	typ, msg, err := c.readMessage(buf[:0])
	if err != nil {
		return 0, nil, c.readFailed(err)
	}
	if typ == websocket.MessageText && !c.opts.SkipUTF8 && !utf8.Valid(msg) {
		return 0, nil, c.reject(codeInvalidData, "text message is not UTF-8")
	}
	return MessageType(typ), msg, nil
}

// awaitClose waits for a Close that is under way, as a read does that had begun before it: a reader that left at once
// and closed the connection on its way out would keep the close frame from being sent.
func (c *Conn) awaitClose() {
	if c.closing.Load() {
		<-c.closed
	}
}

func (c *Conn) readMessage(b []byte) (websocket.MessageType, []byte, error) {
	typ, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return 0, nil, err
	}
	if n := int(c.shim.nextLength()); n >= 0 {
		// The library needs not be asked whether there is more, which would cost as much as reading a short message.
		b, err = readAnnounced(r, b, n)
		return typ, b, err
	}
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			// The library takes a connection that ends inside a message for the end of the message.
			if f := c.shim.readErr.Load(); f != nil {
				return 0, nil, f.err
			}
			return typ, b, nil
		}
		if err != nil {
			return 0, nil, err
		}
		if n == 0 && len(b) == cap(b) {
			b = slices.Grow(b, max(512, cap(b)))
		}
	}
}

// maxTrust is up to how many bytes a peer's word is taken for the length of a message. For longer ones it gets four times
// the room that it has filled.
const maxTrust = 64 << 10

// readAnnounced reads a message of n bytes into b.
func readAnnounced(r io.Reader, b []byte, n int) ([]byte, error) {
	for {
		have := len(b)
		room := min(n, max(cap(b), 4*have, maxTrust))
		b = slices.Grow(b, room-have)[:room]
		if _, err := io.ReadFull(r, b[have:]); err != nil {
			return nil, err
		}
		if room == n {
			return b, nil
		}
	}
}

// readFailed ends the connection because of an error of the library, and returns the cause.
func (c *Conn) readFailed(err error) error {
	switch failed := c.shim.readErr.Load(); {
	case websocket.CloseStatus(err) != -1:
		err = c.end(c.closedByPeer(err))
	case errors.Is(err, context.DeadlineExceeded):
		// A control frame did not come to its end; the library gives it five seconds.
		err = c.networkFailed(callReceive, os.ErrDeadlineExceeded)
	case failed != nil && failed.err == errMask:
		return c.reject(codeProtocolError, errMask.Error())
	case failed != nil:
		err = c.networkFailed(callReceive, failed.err)
	case errors.Is(err, net.ErrClosed):
		err = c.networkFailed(callReceive, err)
	case errors.Is(err, websocket.ErrMessageTooBig):
		err = c.end(c.tooBig())
	default:
		return c.reject(codeProtocolError, innermost(err).Error())
	}
	c.release()
	return err
}

func (c *Conn) tooBig() error {
	err := &wserr.MessageTooBigError{Size: c.shim.scan.tooBig.Load(), Limit: c.opts.ReadLimit, Direction: wserr.Inbound}
	err.Info = errkit.Info{
		Class: wserr.ErrMessageTooBig, Op: callReceive, Target: c.target, Err: websocket.ErrMessageTooBig,
	}
	err.ProtocolError.ProtocolError = "message too big"
	err.CloseCode = codeTooBig
	return err
}

// closedByPeer makes the error of a close frame that arrived. The library has answered it already.
func (c *Conn) closedByPeer(err error) error {
	var frame websocket.CloseError
	errors.As(err, &frame)
	return wserr.Closed(callReceive, c.target, int(frame.Code), printable(frame.Reason), frame)
}

// networkFailed ends the connection because the network did, and closes it at once: the library would go on using it.
func (c *Conn) networkFailed(call string, err error) error {
	late := errors.Is(err, os.ErrDeadlineExceeded)
	if late && call == callReceive {
		// The deadline may be there only because writing had failed.
		if failed := c.shim.writeErr(); failed != nil {
			call, err = callSend, failed
			late = errors.Is(err, os.ErrDeadlineExceeded)
		}
	}
	var cause error
	if late {
		timeout := &wserr.TimeoutError{Info: errkit.Info{Class: wserr.ErrTimeout, Op: call, Target: c.target}}
		if call == callSend {
			timeout.Limit = c.opts.WriteTimeout
		}
		cause = timeout
	} else {
		cause = wserr.Closed(call, c.target, codeAbnormal, "", err)
	}
	err = c.end(cause)
	_ = c.wire.Close() // broken already
	return err
}

// reject ends the connection because of what the peer sent, and tells it so.
func (c *Conn) reject(code int, problem string) error {
	err := c.end(c.violation(problem, code))
	c.shim.stop()
	c.wire.lastWrites(c.opts.CloseTimeout) // the library's own limit is longer
	// With reading at its end this writes the close frame and waits for nothing. Failing to is no news.
	_ = c.ws.Close(websocket.StatusCode(code), problem)
	return err
}

func (c *Conn) violation(problem string, code int) error {
	return &wserr.ProtocolError{
		Info:          errkit.Info{Class: wserr.ErrProtocol, Op: callReceive, Target: c.target},
		ProtocolError: printable(problem), CloseCode: code,
	}
}
