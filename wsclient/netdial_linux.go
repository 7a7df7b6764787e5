package wsclient

import (
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7).
const tcpUserTimeout = 18

// setUserTimeout limits how long sent data may stay without acknowledgement.
func setUserTimeout(fd uintptr, d time.Duration) error {
	ms := int(max(d.Milliseconds(), 1))
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, ms)
}
