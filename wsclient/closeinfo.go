//go:build !js

package wsclient

import (
	"errors"
	"time"
)

// Close codes that never travel in a frame (RFC 6455, section 7.4.1).
const (
	codeNoStatus = 1005 // a close frame without a code
	codeAbnormal = 1006 // an end without a close frame
)

// CloseInfo says how a connection ended.
type CloseInfo struct {
	// Code is the close code: the peer's if it sent a close frame, 1005 if that had none; otherwise the one that this
	// side sent; 1006 if there was no close frame.
	Code int

	// Reason is the text that came with the code, at most 123 bytes (RFC 6455, section 5.5). It is the peer's: treat it
	// as such.
	Reason string

	// Remote tells that the end came from outside: a close frame of the peer, or the network.
	Remote bool

	// Why is the reason of the end.
	Why DisconnectReason

	// Gen is the generation of the connection: 1 for the first one of a manager.
	Gen uint64

	// Endpoint is the address, without secrets.
	Endpoint string

	// Uptime is how long the connection was up.
	Uptime time.Duration

	// Poisoned tells that the message at which the peer closed has been found and taken out of the queue (see
	// SendOptions), so that the next connection is rid of it.
	Poisoned bool

	// Err is the first error that ended the connection; nil if this side wanted it.
	Err error
}

// closeInfo returns how a connection ended that failed with err, for a reason that the error shows.
func closeInfo(err error, gen uint64, endpoint string, uptime time.Duration) CloseInfo {
	c := CloseInfo{Code: codeAbnormal, Gen: gen, Endpoint: endpoint, Uptime: uptime, Why: reasonOf(err), Err: err}
	if e, ok := errors.AsType[*ClosedError](err); ok {
		c.Code, c.Reason, c.Remote = e.Code, e.Reason, e.Remote
		if c.Code == 0 {
			c.Code = codeAbnormal
		}
	} else if e, ok := errors.AsType[*ProtocolError](err); ok && e.CloseCode != 0 {
		c.Code = e.CloseCode
	}
	return c
}

// reasonOf tells from its error why a connection ended that nobody here wanted to end.
func reasonOf(err error) DisconnectReason {
	if e, ok := errors.AsType[*ClosedError](err); ok {
		if e.Remote && e.Code != codeAbnormal && e.Code != 0 {
			return ReasonServerClosed
		}
		return ReasonNetworkError
	}
	if errors.Is(err, ErrProtocol) {
		return ReasonProtocolError
	}
	if e, ok := errors.AsType[*TimeoutError](err); ok {
		switch e.Op {
		case "ping":
			return ReasonPingTimeout
		case "send":
			return ReasonWriteTimeout
		case "receive":
			return ReasonIdleTimeout
		}
	}
	if errors.Is(err, ErrQueueFull) {
		return ReasonSlowConsumer
	}
	return ReasonNetworkError
}
