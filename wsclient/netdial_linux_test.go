package wsclient_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// The options of TCP reach the socket.
func TestUserTimeout(t *testing.T) {
	t.Parallel()
	srv, err := wstest.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	o := wsclient.Options{Dial: wsclient.DialOptions{
		UserTimeout: 12345 * time.Millisecond,
		KeepAlive:   net.KeepAliveConfig{Enable: true, Idle: 77 * time.Second},
	}}
	conn, err := wsclient.NetDial(&o.Dial)(context.Background(), "tcp", srv.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]struct{ number, want int }{
		"TCP_USER_TIMEOUT": {18, 12345}, "TCP_KEEPIDLE": {syscall.TCP_KEEPIDLE, 77},
	} {
		var got int
		raw.Control(func(fd uintptr) {
			got, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, option.number)
		})
		if err != nil || got != option.want {
			t.Errorf("%s is %d, %v, want %d", name, got, err, option.want)
		}
	}
}
