package packet

import (
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// maxShown is how much of a packet an error shows.
const maxShown = 64

// malformed returns the error for a packet of the peer. Of the packet it shows head, which is what stands before the
// arguments or the data: those may be secret.
func malformed(detail string, head []byte) error {
	e := sioerr.Packet("decode", detail, nil)
	if len(head) > 0 {
		e.Packet = strconv.QuoteToASCII(string(head[:min(len(head), maxShown)]))
		if len(e.Packet) > maxShown {
			e.Packet = e.Packet[:maxShown]
		}
	}
	return e
}

// unencodable returns the error for a packet of the caller.
func unencodable(detail string, cause error) error {
	e := sioerr.Packet("encode", detail, cause)
	e.Kind = errkit.Invalid | errkit.NotSent
	return e
}

func reserved(name string) error {
	e := sioerr.Invalid("encode", "event", strconv.Quote(name)+" is a reserved event name")
	e.Class = sioerr.ErrReserved
	return e
}

// undecodable returns the error for argument i.
func undecodable(i int, cause error) error {
	return &sioerr.DecodeError{
		Info:  errkit.Info{Class: sioerr.ErrDecode, Op: "decode", Err: cause},
		Index: i,
	}
}
