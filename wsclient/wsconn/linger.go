//go:build !js

package wsconn

import (
	"crypto/tls"
	"errors"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// SetLinger says what becomes of that which was written and has not reached the peer when the connection is closed, by
// whatever call or failure: with 0 it is thrown away and the connection reset, with a negative number, which is the default,
// the system goes on trying to deliver it. Commands that must not arrive late want 0. See [net.TCPConn.SetLinger] for more.
//
// The error matches [errors.ErrUnsupported] if the network connection has no such setting.
func (c *Conn) SetLinger(sec int) error {
	if err := c.Err(); err != nil {
		return err
	}
	below := c.wire.Conn
	if secure, ok := below.(*tls.Conn); ok {
		below = secure.NetConn()
	}
	lingerer, ok := below.(interface{ SetLinger(sec int) error })
	if !ok {
		return wserr.Err.Wrap(callLinger, c.target, errors.ErrUnsupported)
	}
	if err := lingerer.SetLinger(sec); err != nil {
		return wserr.Err.Wrap(callLinger, c.target, err)
	}
	return nil
}
