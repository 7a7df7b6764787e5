package pikvm

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// mergeRule says how an event changes what is known of its subsystem. It is not a deep merge: a list of
// images, of EDIDs or of stream viewers comes whole, and what is no longer in it is gone.
type mergeRule struct {
	// complete names the members by which a complete event is known: it replaces everything, and an event
	// without any of them is partial and means nothing before the first complete one. Empty: every event
	// may be the first.
	complete []string

	// open names the members that a partial event changes member by member; all others are replaced whole.
	open map[string]mergeRule
}

// mergeRules are the rules of all subsystems that this package knows. For others an event replaces the members
// that it has.
var mergeRules = map[EventType]mergeRule{
	EventLoop:       {},
	EventATX:        {},
	EventClients:    {},
	EventHIDKeymaps: {},
	EventInfo:       {},
	EventOCR:        {},
	EventGPIO: {
		complete: []string{"model"},
		open:     map[string]mergeRule{"state": {open: map[string]mergeRule{"inputs": {}, "outputs": {}}}},
	},
	EventMSD: {
		complete: []string{"enabled", "online"},
		open:     map[string]mergeRule{"storage": {}},
	},
	EventHID:      {open: map[string]mergeRule{"keyboard": {}, "mouse": {}}},
	EventStreamer: {complete: []string{"features"}},
	EventSwitch:   {complete: []string{"model"}},
}

// object is a JSON object, taken apart only as far as the rules of its subsystem reach; the rest stays the
// text that the device sent. It never changes once it is part of a state.
type object map[string]value

// value is a member of an [object]: an open object if there is one, a text otherwise.
type value struct {
	text json.RawMessage
	open object
}

// parseObject takes a JSON object apart as far as open says. The result shares no memory with text.
func parseObject(text json.RawMessage, open map[string]mergeRule) (object, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	if members == nil {
		return nil, fmt.Errorf("null in place of an object: %w", errkit.Protocol)
	}
	o := make(object, len(members))
	for name, text := range members {
		v := value{text: text}
		if rule, ok := open[name]; ok && text[0] == '{' {
			inner, err := parseObject(text, rule.open)
			if err != nil {
				return nil, err
			}
			v = value{open: inner}
		}
		o[name] = v
	}
	return o, nil
}

// isComplete reports whether an event replaces everything.
func (o object) isComplete(rule mergeRule) bool {
	return slices.ContainsFunc(rule.complete, func(name string) bool { _, ok := o[name]; return ok })
}

// merge returns o with the members of event in place of its own, and those that open names merged in turn.
// Neither o nor event changes.
func (o object) merge(event object, open map[string]mergeRule) object {
	merged := maps.Clone(o)
	for name, v := range event {
		if rule, ok := open[name]; ok && o[name].open != nil && v.open != nil {
			v = value{open: o[name].open.merge(v.open, rule.open)}
		}
		merged[name] = v
	}
	return merged
}

// appendJSON appends the text of o, its members sorted as the device sorts them.
func (o object) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(o)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSONString(b, name)
		b = append(b, ':')
		b = o[name].appendJSON(b)
	}
	return append(b, '}')
}

func (v value) appendJSON(b []byte) []byte {
	if v.open != nil {
		return v.open.appendJSON(b)
	}
	return append(b, v.text...)
}

// size returns about how much memory the text of o takes.
func (o object) size() int {
	const perMember = 64 // the entry in the map
	n := 0
	for name, v := range o {
		n += perMember + len(name) + len(v.text) + v.open.size()
	}
	return n
}
