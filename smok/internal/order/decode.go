package order

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// The members of sections and orders, from the public original, smok-client.
const (
	keyOrders      = "orders"
	keyDisposition = "disposition" // 0: can be joined, which is the default; 1: cannot
	keyType        = "type"
	keyPath        = "path"
	keyValue       = "value"
	keyAdvise      = "advise"      // 0 or 1
	keyStaleAfter  = "stale_after" // seconds since 1970
	keyTime        = "time"        // seconds
	keyUUID        = "uuid"
	keyOpType      = "op_type"
	keyOpArgs      = "op_args"
)

// maxName is the longest UUID of a message and the longest type of a sysctl, in bytes.
const maxName = 256

// Problem is an order or a section that cannot be used. The others are not affected.
type Problem struct {
	Err error // an *[smokerr.EntryError]
	Raw any   // what the hub sent
}

// FromMiniJSON decodes the body of a frame of the order link. The error is one of package minijson, or an
// *[smokerr.EntryError] if the body is no list of sections; then there are no sections.
func FromMiniJSON(body []byte) ([]Section, []Problem, error) {
	var tree any
	if err := minijson.Unmarshal(body, &tree); err != nil {
		return nil, nil, smokerr.BadEntry(op, "body", 0, "no MiniJSON", err)
	}
	return FromTree(tree)
}

// FromJSON decodes an answer over HTTP. An empty one, null and an empty object have no sections.
func FromJSON(body []byte) ([]Section, []Problem, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, nil, smokerr.BadEntry(op, "body", 0, "no JSON", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, smokerr.BadEntry(op, "body", 0, "more than one JSON value", nil)
	}
	if object, ok := tree.(map[string]any); tree == nil || ok && len(object) == 0 {
		return nil, nil, nil
	}
	return FromTree(tree)
}

// op names the operation in errors.
const op = "orders"

// FromTree decodes a document that was decoded into an any. Numbers may be those of package minijson, float64 or
// [json.Number].
func FromTree(tree any) ([]Section, []Problem, error) {
	list, ok := tree.([]any)
	if !ok {
		return nil, nil, smokerr.BadEntry(op, "body", 0, "no list of sections", nil)
	}
	var problems []Problem
	sections := make([]Section, 0, len(list))
	for i, raw := range list {
		entry, ok := raw.(map[string]any)
		orders, list := entry[keyOrders].([]any)
		if !ok || !list {
			problems = append(problems, Problem{smokerr.BadEntry(op, "section", i, "has no list of orders", nil), raw})
			continue
		}
		section := Section{Orders: make([]Order, 0, len(orders)), CannotJoin: !joinable(entry)}
		for j, raw := range orders {
			o, reason := decode(raw)
			if reason != "" {
				problems = append(problems, Problem{smokerr.BadEntry(op, "order", j, reason, nil), raw})
				continue
			}
			section.Orders = append(section.Orders, o)
		}
		sections = append(sections, section)
	}
	return sections, problems, nil
}

// joinable reports whether the disposition of a section says so, or nothing. One that is not known may want to be alone.
func joinable(section map[string]any) bool {
	raw, set := section[keyDisposition]
	if !set || raw == nil {
		return true
	}
	n, ok := integer(raw)
	return ok && n == 0
}

// decode returns an order, or the reason why raw is none.
func decode(raw any) (o Order, reason string) {
	entry, ok := raw.(map[string]any)
	if !ok {
		return Order{}, "no object"
	}
	name, ok := entry[keyType].(string)
	if !ok {
		return Order{}, "has no type"
	}
	o.Type = Type(name)
	switch o.Type {
	case Read:
		reason = o.decodeTarget(entry)
	case Write:
		if reason = o.decodeTarget(entry); reason == "" {
			reason = o.decodeWrite(entry)
		}
	case Wait:
		if o.Wait, ok = duration(entry[keyTime]); !ok {
			reason = "time is no number of seconds of at most a week"
		}
	case Message:
		if o.UUID, ok = entry[keyUUID].(string); !ok || o.UUID == "" || len(o.UUID) > maxName {
			reason = "uuid is no name"
		}
	case Sysctl:
		var args bool
		o.OpType, ok = entry[keyOpType].(string)
		o.OpArgs, args = entry[keyOpArgs].(string)
		if !ok || !args || o.OpType == "" || len(o.OpType) > maxName {
			reason = "op_type and op_args are not both text"
		}
	default:
		reason = "unknown type"
	}
	return o, reason
}

func (o *Order) decodeTarget(entry map[string]any) (reason string) {
	var ok bool
	if o.Path, ok = entry[keyPath].(string); !ok || o.Path == "" || len(o.Path) > value.MaxPath {
		return "path is no name"
	}
	raw, set := entry[keyAdvise]
	if !set {
		return ""
	}
	n, ok := integer(raw)
	if !ok || n != int64(Advised) && n != int64(Force) {
		return "advise is neither 0 nor 1"
	}
	o.Advise = Advise(n)
	return ""
}

func (o *Order) decodeWrite(entry map[string]any) (reason string) {
	v, ok := scalar(entry[keyValue])
	if !ok {
		return "value is no bool, number or text"
	}
	o.Value = v
	if raw := entry[keyStaleAfter]; raw != nil {
		if o.StaleAfter, ok = instant(raw); !ok {
			return "stale_after is no time"
		}
	}
	return ""
}
