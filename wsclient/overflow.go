//go:build !js

package wsclient

import "strconv"

// Overflow says what a bounded queue does with a message for which it has no room. See [ReceiveOptions] and
// [SendOptions] for what it means there.
type Overflow int

const (
	// OverflowDefault is DropNewest for messages that arrive and Fail for those to be sent.
	OverflowDefault Overflow = iota
	// DropNewest drops the message.
	DropNewest
	// DropOldest drops what has waited longest, until there is room.
	DropOldest
	// Block waits for room.
	Block
	// Fail ends the connection if the message has arrived, and returns a [QueueFullError] if it was to be sent.
	Fail
)

// String returns "default", "drop newest", "drop oldest", "block" or "fail", and the number of a policy that does not
// exist.
func (o Overflow) String() string {
	switch o {
	case OverflowDefault:
		return "default"
	case DropNewest:
		return "drop newest"
	case DropOldest:
		return "drop oldest"
	case Block:
		return "block"
	case Fail:
		return "fail"
	}
	return "overflow " + strconv.Itoa(int(o))
}
