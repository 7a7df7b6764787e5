package sioerr

import (
	"fmt"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Invalid returns the error for a field that cannot be used.
func Invalid(op, field, reason string) *InvalidError {
	return &InvalidError{Info: errkit.Info{Class: ErrInvalid, Op: op}, Field: field, Reason: reason}
}

// Packet returns the error for a packet of the peer that breaks the protocol.
func Packet(op, detail string, cause error) *PacketError {
	return &PacketError{Info: errkit.Info{Class: ErrPacket, Op: op, Err: cause}, Detail: detail}
}

// Bare returns an error of a class that has no type of its own.
func Bare(class *errkit.Class, op string, cause error) error {
	return &errkit.Basic{Info: errkit.Info{Class: class, Op: op, Err: errkit.CleanCause(cause)}}
}

// Panicked returns the error for a handler of the program that panicked with a value.
func Panicked(v any) error {
	cause, ok := v.(error)
	if !ok {
		cause = fmt.Errorf("%v", v)
	}
	return Bare(ErrHandler, "handle", cause)
}
