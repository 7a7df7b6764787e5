//go:build !js

package wsclient

import (
	"strconv"
	"time"
)

// Action is what to do after a connection was lost or an attempt failed.
type Action int

const (
	// Retry tries again.
	Retry Action = iota
	// GiveUp ends the attempts.
	GiveUp
	// RefreshAuth calls DialOptions.AuthRefresh and tries again at once. Without that callback, and when refreshed
	// credentials are refused as well, it is GiveUp.
	RefreshAuth
)

// String returns "retry", "give up" or "refresh auth", and the number of an action that does not exist.
func (a Action) String() string {
	switch a {
	case Retry:
		return "retry"
	case GiveUp:
		return "give up"
	case RefreshAuth:
		return "refresh auth"
	}
	return "action " + strconv.Itoa(int(a))
}

// Decision is what to do after a connection was lost. The zero value tries again as the strategy says.
type Decision struct {
	Action Action

	// MinDelay is the shortest delay until the same address is tried again, whatever the strategy says.
	MinDelay time.Duration

	// MaxDelay, if above MinDelay, lets the shortest delay be drawn evenly between MinDelay and MaxDelay.
	MaxDelay time.Duration

	// NextEndpoint tries the other addresses first, if there are any.
	NextEndpoint bool

	// Violation counts the loss as one caused by a peer that does not speak the protocol: three in a row, with no
	// connection in between that was up for Backoff.StableAfter, end the attempts.
	Violation bool
}

// DefaultClosePolicy is the [ReconnectOptions.OnClose] of nil. A policy of one's own may treat a few codes and leave
// the others to it.
//
// It gives up after 1008, 1010, 3003 and 4403, refreshes the credentials after 3000 and 4401, and tries again after
// everything else: after 1012 in 5 to 30 s, so that the clients of a server that restarts do not come back all at once,
// after 1013 in 5 s and at another address first. 1002, 1003, 1007, and a message above the read limit, are violations.
// The codes are those of RFC 6455, section 7.4.1, and of the IANA registry of WebSocket close codes; the 4000s repeat
// the statuses of HTTP by wide custom.
func DefaultClosePolicy(c CloseInfo) Decision {
	switch c.Code {
	case 1002, 1003, 1007: // protocol error, unsupported data, invalid payload
		return Decision{Violation: true}
	case 1009: // too big: from the peer it concerns one message
		return Decision{Violation: !c.Remote}
	case 1008, 1010, 3003, 4403: // policy, mandatory extension, forbidden
		return Decision{Action: GiveUp}
	case 1012: // service restart
		return Decision{MinDelay: 5 * time.Second, MaxDelay: 30 * time.Second}
	case 1013: // try again later
		return Decision{MinDelay: 5 * time.Second, NextEndpoint: true}
	case 3000, 4401: // unauthorized
		return Decision{Action: RefreshAuth}
	}
	return Decision{}
}

// CentrifugeClosePolicy follows the close codes of Centrifugo: 3500 to 3999 and 4500 to 4999 say that there is no point
// in trying again, all others that there is.
func CentrifugeClosePolicy(c CloseInfo) Decision {
	if 3500 <= c.Code && c.Code <= 3999 || 4500 <= c.Code && c.Code <= 4999 {
		return Decision{Action: GiveUp}
	}
	return Decision{}
}

// GraphQLWSClosePolicy follows the sub-protocol graphql-transport-ws: 4400, 4401, 4403, 4404, 4405, 4406 and 4409 say
// that the client did something wrong, and end the attempts. The others are those of [DefaultClosePolicy].
func GraphQLWSClosePolicy(c CloseInfo) Decision {
	switch c.Code {
	case 4400, 4401, 4403, 4404, 4405, 4406, 4409:
		return Decision{Action: GiveUp}
	}
	return DefaultClosePolicy(c)
}
