package packet

import "encoding/json"

// Marshal returns v as JSON in the form of arguments: compact, without escapes for HTML. Binary values are not attached but
// written as encoding/json does. It is for [Packet.Data].
func Marshal(v any) (json.RawMessage, error) {
	var e encoder
	if err := e.leaf(v); err != nil {
		return nil, unencodable("data", err)
	}
	return e.dst, nil
}
