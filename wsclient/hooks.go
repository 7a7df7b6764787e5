//go:build !js

package wsclient

import (
	"context"
	"time"
)

// Hooks tell a program what the manager does. All are optional.
//
// They are called in order, one at a time, on a goroutine that belongs to the manager and exists only while there is
// something to tell; OnHandshake and OnPanic are called where they are needed. A hook may block and may call any method
// of the manager; a slow one delays those after it and nothing else. When more than 256 calls wait, the oldest is left
// out and counted (Stats.HooksSkipped): calls of OnConnect, OnDisconnect, OnGiveUp and OnSubscribeError only when none
// of the others waits. A panic in a hook is recovered, counted, logged and given to OnPanic.
//
// The order is: OnStateChange for every change; OnAttempt before each dial; OnAttemptFailed if that leads nowhere;
// otherwise OnHandshake, the subscriptions, OnConnect, and only then what is queued for sending. After a loss
// OnDisconnect comes before the next OnAttempt. OnGiveUp is the last of an outage.
type Hooks struct {
	// OnStateChange gets every change of state. After it was too slow for some, the next one tells how many they were
	// (StateChange.Skipped), and From is the state that it was told of last.
	OnStateChange func(StateChange)

	// OnAttempt is called before each dial.
	OnAttempt func(Attempt)

	// OnAttemptFailed gets the error of an attempt and what happens next.
	OnAttemptFailed func(AttemptFailure)

	// OnHandshake is a part of the attempt: it is called as soon as there is a connection, before anything else is
	// sent or read, and under the time limit of the attempt. It waits for OnAttempt, but for no longer than a second.
	// It may exchange messages, to log in for instance. An error, or a panic, fails the attempt, and the connection is
	// closed.
	OnHandshake func(ctx context.Context, conn *RawConn) error

	// OnConnect is called for every new connection. What is queued for sending waits for it, but for no longer than a
	// second.
	OnConnect func(ConnectInfo)

	// OnDisconnect is called once for every connection that ended, with the first cause, when it is closed: after
	// Disconnect and the like, up to Conn.CloseTimeout behind the change of state.
	OnDisconnect func(DisconnectInfo)

	// OnGiveUp gets the error with which the manager gave up.
	OnGiveUp func(error)

	// OnPong gets the time from each ping to its pong.
	OnPong func(rtt time.Duration)

	// OnAlert gets what somebody should look at; the channel is always "websocket". A full queue of messages that
	// arrived is reported at the first loss and then once a second at most, with context {"queue_size", "dropped"}.
	OnAlert func(channel, message string, context map[string]any)

	// OnSubscribeError gets the error of a subscription that was not accepted after a connection came about.
	OnSubscribeError func(key string, err error)

	// OnPanic gets what a callback of the program panicked with, and its name, such as "OnConnect". It is called on
	// the goroutine that panicked; a panic of its own is dropped.
	OnPanic func(callback string, value any)
}

// ConnectInfo tells of a new connection.
type ConnectInfo struct {
	Gen       uint64        // generation of the connection: 1 for the first one of the manager
	Endpoint  string        // address, without secrets
	Reconnect bool          // whether there was a connection before
	Attempts  int           // dials that it took
	Downtime  time.Duration // how long there was no connection; 0 for the first one
	Seamless  bool          // whether it took over from one that was still up (ControlOptions.Seamless)
}

// DisconnectInfo tells of the end of a connection.
type DisconnectInfo struct {
	Reason        DisconnectReason
	Close         CloseInfo     // codes and generation
	Err           error         // the first error; nil if this side wanted the end
	Uptime        time.Duration // how long the connection was up
	WillReconnect bool          // whether there will be further attempts
	NextDelay     time.Duration // how long the next attempt is waited for; 0 if it is not known or comes at once
	Scheduled     bool          // whether the time of the next attempt was set by Disconnect
	MaybeLost     uint64        // messages of a queue that were written, without a sign that they arrived
	Seamless      bool          // whether another connection had taken over before
}

// AttemptFailure tells of an attempt that failed.
type AttemptFailure struct {
	Attempt   Attempt
	Err       error
	WillRetry bool
	NextDelay time.Duration // until the next attempt, if WillRetry
}
