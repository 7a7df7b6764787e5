package wire

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/internal/ngtterr"
)

// HeaderSize is the length of a frame without its body, in bytes.
const HeaderSize = 8

// Type says what a frame is for. Numbers without a name are carried like any other.
type Type uint16

// The types of frames. Historical ones are sent by no current device, but a private hub may still use them.
const (
	TypePing              Type = 0  // keepalive, answered by a PING of the same tid
	TypeOrder             Type = 1  // hub to device: sections of orders
	TypeOrderConfirm      Type = 2  // device to hub: the order of that tid was executed
	TypeLogs              Type = 3  // Deprecated: device to hub, historical: log records, without an answer
	TypeDataStream        Type = 4  // Deprecated: device to hub, historical: pathpoint data
	TypeDataStreamConfirm Type = 5  // Deprecated: hub to device, historical: data of that tid was taken
	TypeDataStreamReject  Type = 6  // Deprecated: hub to device, historical: data of that tid is invalid
	TypeSyncBAOBRequest   Type = 7  // Deprecated: device to hub, historical: versions of binary objects
	TypeSyncBAOBResponse  Type = 8  // Deprecated: hub to device, historical: which objects to exchange
	TypeOrderReject       Type = 9  // device to hub: the order of that tid is refused
	TypeFetchOrders       Type = 10 // device to hub: orders are wanted on this connection
)

var typeNames = [...]string{
	"PING", "ORDER", "ORDER_CONFIRM", "LOGS", "DATA_STREAM", "DATA_STREAM_CONFIRM", "DATA_STREAM_REJECT",
	"SYNC_BAOB_REQUEST", "SYNC_BAOB_RESPONSE", "ORDER_REJECT", "FETCH_ORDERS",
}

// String returns the protocol's name of the type, such as "ORDER_CONFIRM", and "TYPE_11" for a number without one.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "TYPE_" + strconv.Itoa(int(t))
}

// Frame is one frame.
type Frame struct {
	Type Type
	TID  uint16 // transaction id
	Body []byte // may be empty
}

// AppendFrame appends the wire form of f to dst. It allocates only if dst has no room. A body of 4 GiB or more, which
// the header cannot express, is a *[InvalidFrameError], and nothing is appended.
func AppendFrame(dst []byte, f Frame) ([]byte, error) {
	if uint64(len(f.Body)) > math.MaxUint32 {
		return dst, Invalid("write", Header{Type: f.Type, TID: f.TID, Length: math.MaxUint32},
			errkit.TooLarge|errkit.Invalid|errkit.NotSent, "body of 4 GiB or more")
	}
	dst = AppendHeader(dst, Header{Length: uint32(len(f.Body)), TID: f.TID, Type: f.Type})
	return append(dst, f.Body...), nil
}

// Header is what stands before the body of a frame.
type Header struct {
	Length uint32 // of the body, in bytes
	TID    uint16
	Type   Type
}

// AppendHeader appends the wire form of h to dst: length, tid and type, most significant byte first.
func AppendHeader(dst []byte, h Header) []byte {
	dst = binary.BigEndian.AppendUint32(dst, h.Length)
	dst = binary.BigEndian.AppendUint16(dst, h.TID)
	return binary.BigEndian.AppendUint16(dst, uint16(h.Type))
}

// ParseHeader reads the header at the beginning of b; false means that b is shorter than one.
func ParseHeader(b []byte) (Header, bool) {
	if len(b) < HeaderSize {
		return Header{}, false
	}
	return Header{
		Length: binary.BigEndian.Uint32(b),
		TID:    binary.BigEndian.Uint16(b[4:]),
		Type:   Type(binary.BigEndian.Uint16(b[6:])),
	}, true
}

// InvalidFrameError is that of package ngtt, under the same name.
type InvalidFrameError = ngtterr.InvalidFrameError

// ErrInvalidFrame is the class of [InvalidFrameError].
var ErrInvalidFrame = ngtterr.ErrInvalidFrame

// Invalid returns a *[InvalidFrameError] of op ("read" or "write") for the frame with header h.
func Invalid(op string, h Header, kinds errkit.Kind, reason string) error {
	return &InvalidFrameError{
		Info: errkit.Info{Class: ErrInvalidFrame, Op: op, Kind: kinds},
		Type: uint16(h.Type), TID: h.TID, Length: int64(h.Length), Reason: reason,
	}
}
