package errkit

import "syscall"

// Winsock error numbers that package syscall does not name. The portable constants such as
// syscall.ECONNREFUSED are invented numbers on Windows that no socket call returns.
const (
	wsaeNetDown      syscall.Errno = 10050
	wsaeNetUnreach   syscall.Errno = 10051
	wsaeNetReset     syscall.Errno = 10052 // keep-alive found the peer gone
	wsaeTimedOut     syscall.Errno = 10060 // of which Errno.Timeout does not know
	wsaeAddrNotAvail syscall.Errno = 10049
	wsaeConnRefused  syscall.Errno = 10061
	wsaeHostUnreach  syscall.Errno = 10065
)

func classifyErrno(e syscall.Errno) Kind {
	switch e {
	case wsaeConnRefused, wsaeHostUnreach, wsaeNetUnreach, wsaeNetDown, wsaeAddrNotAvail,
		syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL:
		return Connection | NotSent
	case wsaeTimedOut:
		return Timeout
	case wsaeNetReset, syscall.WSAECONNRESET, syscall.WSAECONNABORTED, syscall.ERROR_BROKEN_PIPE,
		syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED:
		return Disconnected
	}
	return 0
}
