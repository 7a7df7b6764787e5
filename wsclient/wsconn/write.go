//go:build !js

package wsconn

import (
	"context"
	"errors"
	"os"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// Message is one message of a batch. Its data is not changed and not kept.
type Message struct {
	Type MessageType
	Data []byte
}

// Write sends one message at once, in one frame. When it returns nil, the message is in the hands of the operating
// system; that says nothing about the peer. p may be reused after the call.
//
// It blocks while the peer takes no data, for [Options.WriteTimeout] at most while there is no progress at all; it then
// ends the connection with a *TimeoutError. A message of an unknown type, and text that is not UTF-8, give a
// *ConfigError and change nothing. Other errors end the connection.
func (c *Conn) Write(typ MessageType, p []byte) error {
	if err := c.checkMessage(typ, p); err != nil {
		return err
	}
	c.writeMu.Lock()
	defer c.unlockWrite()
	c.lone[0] = Message{Type: typ, Data: p}
	_, err := c.writeMessages(c.lone[:])
	c.lone[0].Data = nil
	return err
}

// WriteBatch sends messages in order, gathered into as few writes to the connection as their length allows. When it
// returns nil, all of them are in the hands of the operating system. After an error, the first sent of them are for
// certain; of the others the peer may have got a part, but none whole.
//
// It is made for the owner of a queue: take what has come together, send it as one batch, and look again. Nothing waits
// for a batch to fill up. Errors are those of [Conn.Write]; a message that cannot be sent stops the whole batch before
// anything of it is sent.
func (c *Conn) WriteBatch(msgs []Message) (sent int, err error) {
	for i := range msgs {
		if err := c.checkMessage(msgs[i].Type, msgs[i].Data); err != nil {
			return 0, err
		}
	}
	c.writeMu.Lock()
	defer c.unlockWrite()
	return c.writeMessages(msgs)
}

// writeMessages writes messages as one batch, and with it the control frames that wait. It runs with writeMu held.
func (c *Conn) writeMessages(msgs []Message) (sent int, err error) {
	if err := c.Err(); err != nil {
		return 0, err
	}
	controls := c.takeControls()
	if c.compressed {
		c.ends, err = c.writeCompressed(msgs, controls, c.ends[:0])
	} else {
		c.ends, err = c.shim.send(msgs, controls, c.ends[:0])
	}
	if err == nil {
		return len(msgs), nil
	}
	_, flushed := c.shim.position()
	for sent < len(c.ends) && c.ends[sent] <= flushed {
		sent++
	}
	return sent, c.writeFailed(err)
}

// writeCompressed lets the library write messages, which it compresses if they are long enough.
func (c *Conn) writeCompressed(msgs []Message, controls []byte, ends []int64) ([]int64, error) {
	c.shim.cork()
	for i := range msgs {
		err := c.ws.Write(context.Background(), websocket.MessageType(msgs[i].Type), msgs[i].Data)
		if err != nil {
			_ = c.shim.flush() // the error came first
			return ends, err
		}
		queued, _ := c.shim.position()
		ends = append(ends, queued)
	}
	_ = c.shim.writeControl(controls) // the error comes from flush
	return ends, c.shim.flush()
}

// checkMessage turns down what must not be sent (RFC 6455, section 5.6).
func (c *Conn) checkMessage(typ MessageType, p []byte) error {
	switch {
	case typ == Binary:
		return nil
	case typ != Text:
		return wserr.Config(callSend, "type", "neither Text nor Binary")
	case !c.opts.SkipUTF8 && !utf8.Valid(p):
		return wserr.Config(callSend, "text", "not UTF-8")
	}
	return nil
}

// unlockWrite ends the turn of a writer and sends the control frames that nobody else could send meanwhile.
func (c *Conn) unlockWrite() {
	c.writeMu.Unlock()
	c.sendControls()
}

// writeFailed ends the connection because a write failed, and returns the cause. That a write failed often means that
// the peer has closed: why it did is in a frame that was not read yet. So the reader gets a moment to find it; if nobody
// reads just now, the frame is looked for here.
func (c *Conn) writeFailed(err error) error {
	if cause := c.Err(); cause != nil {
		return cause
	}
	if c.peerMayHaveClosed(err) {
		_ = c.wire.SetReadDeadline(time.Now().Add(c.opts.CloseTimeout))
		if c.readMu.TryLock() {
			c.lookForClose()
			c.readMu.Unlock()
		} else {
			c.awaitVerdict()
		}
	}
	cause := c.networkFailed(callSend, err)
	c.release()
	return cause
}

// peerMayHaveClosed reports whether the cause of a failed write is up to the reader: always, except that a peer that
// takes no data says no more. When writes were given their last deadline, something else came before.
func (c *Conn) peerMayHaveClosed(err error) bool {
	return c.wire.ending() || !errors.Is(err, os.ErrDeadlineExceeded)
}

// lookForClose makes the close frame of the peer the cause, if that is what comes next. It runs with readMu held.
func (c *Conn) lookForClose() {
	if _, _, err := c.ws.Reader(context.Background()); websocket.CloseStatus(err) != -1 {
		_ = c.end(c.closedByPeer(err)) // it is Err now
	}
}

func (c *Conn) awaitVerdict() {
	verdict := time.NewTimer(c.opts.CloseTimeout)
	defer verdict.Stop()
	select {
	case <-c.dead:
	case <-verdict.C:
	}
}
