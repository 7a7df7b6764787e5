//go:build !js

package wsclient

import "time"

// Attempt tells a callback which attempt to connect it serves, and how the one before it ended.
type Attempt struct {
	// Number counts the dials of the outage, from 1.
	Number int

	// Outage counts the losses of a connection that was up for long enough, see [ReconnectOptions]: 0 until the first.
	Outage int

	// Endpoint is the address that is dialled, without secrets, and Index its place in the list of addresses, from 0.
	Endpoint string
	Index    int

	// Delay is what was waited before this attempt.
	Delay time.Duration

	// LastErr is how the attempt before it failed, or what ended the connection; nil before the very first.
	LastErr error

	// LastStatus is the HTTP status with which the upgrade was refused last; 0 if that was not how the last attempt
	// failed.
	LastStatus int

	// LastClose is how the last connection ended; nil before the first end.
	LastClose *CloseInfo
}
