package pikvm

import (
	"encoding/json"
)

// EventType names what an [Event] is about. The device's own names are those of the constants; names that
// this package does not know are kept as they come. Names that begin with "@" are made by the [Session] and
// never come from the device.
type EventType string

// Events of the device. Except for EventLoop and EventClients each is the state of one subsystem, complete
// or in part, and [Session.State] has them put together.
const (
	EventLoop       EventType = "loop"        // first of a connection: version of the device's software
	EventATX        EventType = "atx"         // buttons and LEDs of the host
	EventClients    EventType = "clients"     // number of stream viewers
	EventGPIO       EventType = "gpio"        // extra pins
	EventHID        EventType = "hid"         // keyboard and mouse
	EventHIDKeymaps EventType = "hid_keymaps" // keyboard layouts for typing text
	EventInfo       EventType = "info"        // the device itself, one part per event
	EventMSD        EventType = "msd"         // mass storage
	EventOCR        EventType = "ocr"         // text recognition
	EventStreamer   EventType = "streamer"    // video
	EventSwitch     EventType = "switch"      // PiKVM Switch

	eventPong EventType = "pong" // answer to a ping; consumed by the session
)

// Events of the [Session] itself, in order with those of the device.
const (
	// EventConnected says that a connection was made. The state is empty and is rebuilt from the events that
	// follow: whoever waits for something must look again.
	EventConnected EventType = "@connected"

	// EventDisconnected says that the connection was lost; Err says why. The session goes on reconnecting.
	EventDisconnected EventType = "@disconnected"

	// EventMalformed says that the device sent a frame that makes no sense; Err says why. The state is as before.
	EventMalformed EventType = "@malformed"

	// EventDropped says that the reader was too slow and that the Dropped oldest events were given up, exactly
	// at this place of the sequence. The state has them all.
	EventDropped EventType = "@dropped"
)

// Event is one event of a [Session].
type Event struct {
	// Type says what the event is about. Names of old versions of the device's software are translated to
	// those of version 4.36 and later, together with the payload.
	Type EventType

	// Data is the payload as the device sent it, usually a JSON object, nil if there is none. In part or
	// complete is the device's choice: use [Session.State] for the whole.
	Data json.RawMessage

	// Dropped is the number of events lost, for [EventDropped].
	Dropped uint64

	// Err is a typed error, for [EventDisconnected] and [EventMalformed].
	Err error
}
