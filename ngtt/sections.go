package ngtt

import (
	"encoding/binary"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// countSections checks that the body of an order is a list, well-formed to its end, and returns the length of the list.
// It allocates nothing: the handler alone knows what it wants to decode the body into.
func countSections(body []byte) (int, error) {
	if err := minijson.Valid(body); err != nil {
		return 0, err
	}
	// A well-formed value has its whole head: a tag, and behind some tags the length.
	switch tag, rest := body[0], body[1:]; {
	case tag&0xf0 == 0x40:
		return int(tag & 0x0f), nil
	case tag == 0x07:
		return int(rest[0]), nil
	case tag == 0x0f:
		return int(binary.BigEndian.Uint16(rest)), nil
	case tag == 0x10:
		return int(binary.BigEndian.Uint32(rest)), nil
	}
	return 0, errNoList
}

const errNoList = text("the body is no list")
