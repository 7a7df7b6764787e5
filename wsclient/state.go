//go:build !js

package wsclient

import (
	"strconv"
	"time"
)

// State is where a [Manager] stands. There are six states and nothing in between.
type State int

const (
	// StateDisconnected: there is no connection and none is on its way. It is the first state.
	StateDisconnected State = iota
	// StateConnecting: a dial is under way.
	StateConnecting
	// StateConnected: there is a connection.
	StateConnected
	// StateReconnecting: there is no connection, and the next attempt is waited for.
	StateReconnecting
	// StateClosing: the manager is being closed.
	StateClosing
	// StateClosed: the manager is closed, for ever.
	StateClosed
)

var stateNames = [...]string{"disconnected", "connecting", "connected", "reconnecting", "closing", "closed"}

// String returns the name in lower case, such as "connected".
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return "state " + strconv.Itoa(int(s))
	}
	return stateNames[s]
}

// CanConnect reports whether [Manager.Connect] begins something in this state: StateDisconnected and
// StateReconnecting.
func (s State) CanConnect() bool { return s == StateDisconnected || s == StateReconnecting }

// CanSend reports whether a message can go out at once: StateConnected only.
func (s State) CanSend() bool { return s == StateConnected }

// Terminal reports whether there is no way out of this state: StateClosed only.
func (s State) Terminal() bool { return s == StateClosed }

// Allowed reports whether a manager may go from s to next. No other change ever happens.
func (s State) Allowed(next State) bool {
	switch s {
	case StateDisconnected:
		return next == StateConnecting || next == StateReconnecting || next == StateClosing
	case StateConnecting:
		return next == StateConnected || next == StateReconnecting || next == StateDisconnected || next == StateClosing
	case StateConnected:
		return next == StateReconnecting || next == StateDisconnected || next == StateClosing
	case StateReconnecting:
		return next == StateConnecting || next == StateDisconnected || next == StateClosing
	case StateClosing:
		return next == StateClosed
	case StateClosed:
	}
	return false
}

// StateChange tells of one change of state.
type StateChange struct {
	Seq      uint64 // 1, 2, 3 … per manager
	From, To State
	Reason   DisconnectReason // why there is no connection any more; ReasonNone if that is not what it is about
	Err      error            // what failed last: an attempt or the connection; nil if nothing did
	Close    *CloseInfo       // how the last connection ended; nil if there was none
	Attempt  int              // number of the attempt within its outage, from 1; 0 outside of one
	// NextDelay is how long the next attempt will be waited for; 0 if it comes at once, or not at all.
	NextDelay time.Duration
	Endpoint  string // address dialled or connected, without secrets; "" if there is none
	At        time.Time
	Skipped   int // earlier changes that this observer was too slow for
}
