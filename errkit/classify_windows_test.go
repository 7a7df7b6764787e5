package errkit_test

import (
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// The numbers that Winsock returns, which are not those of package syscall.
func TestClassifyWinsock(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		op, call string
		number   syscall.Errno
		want     errkit.Kind
	}{
		{"dial", "connectex", 10061, refused},                  // WSAECONNREFUSED
		{"dial", "connectex", 10060, refused | errkit.Timeout}, // WSAETIMEDOUT
		{"dial", "connectex", 10065, refused},                  // WSAEHOSTUNREACH
		{"read", "wsarecv", 10060, errkit.Timeout},
		{"read", "wsarecv", 10052, errkit.Disconnected}, // WSAENETRESET
		{"read", "wsarecv", 10053, errkit.Disconnected}, // WSAECONNABORTED
		{"read", "wsarecv", 10054, errkit.Disconnected}, // WSAECONNRESET
		{"write", "wsasend", 10065, errkit.Disconnected},
	} {
		compareKinds(t, &net.OpError{Op: tc.op, Net: "tcp", Err: os.NewSyscallError(tc.call, tc.number)}, tc.want)
	}
}
