package netem

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// hostAddr is the address of an end whose host is a name.
type hostAddr string

func (hostAddr) Network() string  { return "tcp" }
func (a hostAddr) String() string { return string(a) }

// netAddr turns a clean host:port into a net.Addr: a *net.TCPAddr where the host is an IP address.
func netAddr(hostport string) net.Addr {
	if ap, err := netip.ParseAddrPort(hostport); err == nil {
		return net.TCPAddrFromAddrPort(ap)
	}
	return hostAddr(hostport)
}

// cleanAddr checks the form of a host:port and writes it in the one way in which it is looked up. Names are not
// resolved, and case does not matter. The host may be empty.
func cleanAddr(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", &net.AddrError{Err: "port is not a number up to 65535", Addr: addr}
	}
	return net.JoinHostPort(strings.ToLower(host), strconv.FormatUint(number, 10)), nil
}

// wildcard returns the address that listens for every host on the port of a clean address.
func wildcard(addr string) string { return addr[strings.LastIndexByte(addr, ':'):] }

// firstFreePort is where ports are given out from, the beginning of the dynamic range (RFC 6335 section 6).
const firstFreePort = 49152

// dialerAddr returns the address that the dialling end of the id-th link has; they differ from each other.
func dialerAddr(id int) net.Addr {
	host, port := (id-1)>>14+1, (id-1)&(1<<14-1)
	ip := netip.AddrFrom4([4]byte{10, byte(host >> 16), byte(host >> 8), byte(host)})
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(firstFreePort+port)))
}
