package event

import (
	"errors"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Decode reads the arguments of an event, or of its acknowledgement, as [Event.Decode] does.
func Decode(name string, args packet.Args, targets ...any) error {
	for i := range min(len(targets), args.Len()) {
		if err := args.Decode(i, targets[i]); err != nil {
			return decodeError(name, i, err)
		}
	}
	return nil
}

// decodeError tells which argument of which event it was.
func decodeError(name string, index int, err error) error {
	if e, ok := errors.AsType[*sioerr.DecodeError](err); ok {
		err = e.Err
	}
	return &sioerr.DecodeError{
		Info:  errkit.Info{Class: sioerr.ErrDecode, Op: "decode", Err: errkit.CleanCause(err)},
		Event: name, Index: index,
	}
}
