package wire

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// maxTiming is the longest time of an open packet, that of a JavaScript timer. Longer ones are cut to it.
const maxTiming = (1<<31 - 1) * time.Millisecond

// Handshake is what an open packet tells.
type Handshake struct {
	SID          string
	Upgrades     []string // names of transports, unknown ones included
	PingInterval time.Duration
	PingTimeout  time.Duration
	MaxPayload   int64 // limit of a payload in bytes; 0 if the server named none
}

// AppendHandshake appends the data of an open packet. There is a list of upgrades also when it is empty, since clients
// rely on it.
func AppendHandshake(dst []byte, h Handshake) []byte {
	dst = appendString(append(dst, `{"sid":`...), h.SID)
	dst = append(dst, `,"upgrades":[`...)
	for i, name := range h.Upgrades {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, name)
	}
	dst = append(dst, `],"pingInterval":`...)
	dst = strconv.AppendInt(dst, h.PingInterval.Milliseconds(), 10)
	dst = append(dst, `,"pingTimeout":`...)
	dst = strconv.AppendInt(dst, h.PingTimeout.Milliseconds(), 10)
	if h.MaxPayload > 0 {
		dst = append(dst, `,"maxPayload":`...)
		dst = strconv.AppendInt(dst, h.MaxPayload, 10)
	}
	return append(dst, '}')
}

// appendString appends a JSON string.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7F || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // strings are always encoded
			return append(dst, quoted...)
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

// ParseHandshake reads the data of an open packet. The id and both times must be there; times of less than a millisecond
// are refused, since they would let a client spin.
func ParseHandshake(data []byte) (Handshake, error) {
	var raw struct {
		SID          *string  `json:"sid"`
		Upgrades     []string `json:"upgrades"`
		PingInterval *float64 `json:"pingInterval"`
		PingTimeout  *float64 `json:"pingTimeout"`
		MaxPayload   float64  `json:"maxPayload"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return Handshake{}, sioerr.Packet(op, "open packet", err)
	}
	switch {
	case raw.SID == nil || *raw.SID == "":
		return Handshake{}, malformed("open packet without sid")
	case raw.PingInterval == nil || *raw.PingInterval < 1:
		return Handshake{}, malformed("open packet without pingInterval")
	case raw.PingTimeout == nil || *raw.PingTimeout < 1:
		return Handshake{}, malformed("open packet without pingTimeout")
	case raw.MaxPayload < 0:
		return Handshake{}, malformed("open packet with a negative maxPayload")
	}
	return Handshake{
		SID:          *raw.SID,
		Upgrades:     raw.Upgrades,
		PingInterval: milliseconds(*raw.PingInterval),
		PingTimeout:  milliseconds(*raw.PingTimeout),
		MaxPayload:   int64(min(raw.MaxPayload, 1<<53)),
	}, nil
}

func milliseconds(n float64) time.Duration {
	if n >= float64(maxTiming/time.Millisecond) {
		return maxTiming
	}
	return time.Duration(n * float64(time.Millisecond))
}
