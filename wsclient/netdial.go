//go:build !js

package wsclient

import (
	"context"
	"net"
	"syscall"
)

// netDial returns the DialContext of options that have none.
func netDial(d *DialOptions) func(ctx context.Context, network, addr string) (net.Conn, error) {
	dialer := net.Dialer{KeepAliveConfig: d.KeepAlive}
	if limit := d.UserTimeout; limit > 0 {
		dialer.Control = func(_, _ string, c syscall.RawConn) (err error) {
			failed := c.Control(func(fd uintptr) { err = setUserTimeout(fd, limit) })
			if failed != nil {
				return failed
			}
			return err
		}
	}
	return dialer.DialContext
}
