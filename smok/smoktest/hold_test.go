package smoktest_test

import (
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// TestPortsAreKept: while a hub is down, nobody else can be given its ports, as an outgoing connection could.
func TestPortsAreKept(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a port with connections is not free for its listener either")
	}
	hub := smoktest.New(nil)
	if err := hub.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Close() })
	other, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	hub.Down(smoktest.Both)
	for _, addr := range []string{strings.TrimPrefix(hub.URL(), "https://"), hub.NGTTAddr()} {
		local, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := (&net.Dialer{LocalAddr: local}).DialContext(t.Context(), "tcp", other.Addr().String()); err == nil {
			_ = c.Close()
			t.Errorf("%s was free", addr)
		}
		if c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr); err == nil {
			_ = c.Close()
			t.Errorf("%s was open", addr)
		}
	}
	if err := hub.Up(smoktest.Both); err != nil {
		t.Error(err)
	}
}
