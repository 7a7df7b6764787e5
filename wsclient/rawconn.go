//go:build !js

package wsclient

import (
	"net/http"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// RawConn is a new connection in the hands of [Hooks].OnHandshake, before the manager uses it. It must not be used
// after the hook has returned.
type RawConn struct{ conn *wsconn.Conn }

// Send writes a message.
func (c *RawConn) Send(typ MessageType, data []byte) error { return c.conn.Write(typ, data) }

// Receive waits for the next message of the peer, which is then not delivered to anybody else. The end of the hook's
// context interrupts it.
func (c *RawConn) Receive() (MessageType, []byte, error) { return c.conn.Read(nil) }

// Subprotocol returns the negotiated subprotocol, "" if there is none.
func (c *RawConn) Subprotocol() string { return c.conn.Subprotocol() }

// Response returns the peer's answer to the upgrade. Its body is nil.
func (c *RawConn) Response() *http.Response { return c.conn.Response() }
