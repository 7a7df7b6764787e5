//go:build !windows

package errkit

import "syscall"

func classifyErrno(e syscall.Errno) Kind {
	switch e {
	case syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL:
		return Connection | NotSent
	case syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED:
		return Disconnected
	}
	return 0
}
