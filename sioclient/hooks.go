package sioclient

import "time"

// Hooks tell a program what a [Manager] does. All are optional. They are called in order, one at a time, on a goroutine
// that exists only while there is something to tell. They may block and may call any method; when more than 1,024 calls
// wait, further ones are left out. DialOptions.OnPing of package engineio tells of heartbeats.
type Hooks struct {
	// OnOpen is called when a connection to the server is there. The namespaces follow.
	OnOpen func()

	// OnClose is called once for every connection that ended. The error is nil for an end that this side wanted.
	OnClose func(reason Reason, err error)

	// OnError is called for every attempt to connect that failed.
	OnError func(err error)

	// OnUpgrade is called when a connection goes over from polling to WebSocket.
	OnUpgrade func()

	// OnReconnectWait is called when the next attempt is known: its number, counted from 1, and the delay before it.
	OnReconnectWait func(attempt int, delay time.Duration)

	// OnReconnectAttempt is called when an attempt to connect again begins. Its number is counted from 1.
	OnReconnectAttempt func(attempt int)

	// OnReconnect is called, after OnOpen, when that attempt succeeded.
	OnReconnect func(attempt int)

	// OnReconnectError is called, after OnError, when it failed.
	OnReconnectError func(err error)

	// OnReconnectFailed is called when the attempts are used up. The error matches [ErrReconnect].
	OnReconnectFailed func(err error)
}
