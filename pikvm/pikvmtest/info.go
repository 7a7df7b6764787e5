package pikvmtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// infoInterval is the time between two uptime and health events.
const infoInterval = 5 * time.Second

// bootedBefore is how long the device was up when the server started.
const bootedBefore = 2253 * time.Second

// info is the information manager: one document per field.
type info struct {
	version version
	hub     *hub
	sched   *scheduler
	started time.Time

	mu   sync.Mutex
	subs map[string]any // without uptime, which is computed
	next *job           // the periodic events
}

func newInfo(v version, authEnabled bool, sched *scheduler, h *hub) *info {
	var subs map[string]any
	if err := json.Unmarshal(readDocument("info"), (*rawFields)(&subs)); err != nil {
		panic(err) // the file is part of the program
	}
	subs["auth"] = map[string]bool{"enabled": authEnabled}
	i := &info{version: v, hub: h, sched: sched, started: time.Now(), subs: subs}
	system := i.object("system")
	system["kvmd"] = map[string]string{"version": v.String()}
	if !v.atLeast(4, 130) {
		delete(subs, "node")
	}
	if !v.atLeast(4, 53) { // hw was a field of its own then
		subs["hw"] = map[string]any{"health": subs["health"], "platform": system["platform"]}
		delete(subs, "health")
		delete(system, "platform")
	}
	subs["system"] = system
	return i
}

// rawFields keeps the members of an object as they are written.
type rawFields map[string]any

func (f *rawFields) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*f = make(rawFields, len(raw))
	for name, value := range raw {
		(*f)[name] = value
	}
	return nil
}

// object returns a copy of the members of a field, or nothing when it is not an object.
func (i *info) object(name string) map[string]any {
	var members rawFields
	raw, err := json.Marshal(i.subs[name])
	if err == nil {
		err = json.Unmarshal(raw, &members)
	}
	if err != nil || members == nil {
		return map[string]any{}
	}
	return members
}

func (i *info) routes(k *router) { k.add(http.MethodGet, "/info", i.get) }

// fields names what this version knows, without the alias hw of the legacy answer. Like value and broadcast it is
// called with mu held.
func (i *info) fields() []string {
	names := slices.Collect(maps.Keys(i.subs))
	if i.version.atLeast(4, 125) {
		names = append(names, "uptime")
	}
	slices.Sort(names)
	return names
}

func (i *info) get(c *call) error {
	result, err := i.query(c)
	if err != nil {
		return err
	}
	return c.ok(result)
}

func (i *info) query(c *call) (map[string]any, error) {
	legacy := true
	if i.version.atLeast(4, 128) {
		var err error
		if legacy, err = c.arg("legacy").or("1").bool(); err != nil {
			return nil, err
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	known := i.fields()
	aliased := legacy && i.version.atLeast(4, 53) // hw stands for health and the platform of system
	standard := known
	if aliased {
		known = append(known, "hw")
		standard = slices.DeleteFunc(slices.Clone(known), func(name string) bool { return name == "health" })
	}
	chosen, err := c.arg("fields").or("").list(known...)
	if err != nil {
		return nil, err
	}
	if len(chosen) == 0 {
		chosen = standard
	}
	return i.answer(chosen, aliased && slices.Contains(chosen, "hw")), nil
}

// answer collects fields, with mu held. Where hw is asked for it takes health and the platform of system into itself.
func (i *info) answer(names []string, hw bool) map[string]any {
	out := make(map[string]any)
	for _, name := range names {
		if !hw || name != "hw" {
			out[name] = i.value(name)
		}
	}
	if hw {
		system := i.object("system")
		out["hw"] = map[string]any{"health": i.value("health"), "platform": system["platform"]}
		delete(out, "health")
		if _, ok := out["system"]; ok {
			delete(system, "platform")
			out["system"] = system
		}
	}
	return out
}

func (i *info) value(name string) any {
	if name != "uptime" {
		return i.subs[name]
	}
	total := int((bootedBefore + time.Since(i.started)) / time.Second)
	return map[string]any{"total": total, "parts": map[string]int{
		"days": total / 86400, "hours": total / 3600 % 24, "minutes": total / 60 % 60, "seconds": total % 60,
	}}
}

// announce sends all fields, and starts the wait for the periodic events anew.
func (i *info) announce() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.broadcast(i.fields()...)
	i.sched.cancel(i.next)
	i.next = i.sched.after(infoInterval, i.tick)
}

// tick sends what comes every few seconds, as long as somebody listens.
func (i *info) tick() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.hub.count() == 0 {
		return
	}
	switch {
	case i.version.atLeast(4, 125):
		i.broadcast("uptime", "health")
	case i.version.atLeast(4, 53):
		i.broadcast("health")
	default:
		i.broadcast("hw")
	}
	i.next = i.sched.after(infoInterval, i.tick)
}

// broadcast sends one event per field.
func (i *info) broadcast(names ...string) {
	for _, name := range names {
		i.hub.broadcast(event{"info", map[string]any{name: i.value(name)}})
	}
}

// SetInfo replaces one field of the device information, for instance "health" or "meta", by the JSON of value, and
// tells the event sockets. It refuses fields that this version does not know, uptime, and what has no JSON.
func (s *Server) SetInfo(field string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("pikvmtest: info field %s: %w", field, err)
	}
	i := s.info
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, ok := i.subs[field]; !ok {
		return fmt.Errorf("pikvmtest: no info field %q to set", field)
	}
	i.subs[field] = json.RawMessage(raw)
	i.broadcast(field)
	return nil
}
