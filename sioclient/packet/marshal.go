package packet

import "encoding/json"

// Marshal returns v as JSON as arguments are encoded: compact, without escapes for HTML. Binary values are not attached
// but written as encoding/json does. It is for [Packet.Data].
func Marshal(v any) (json.RawMessage, error) { return json.Marshal(v) }
