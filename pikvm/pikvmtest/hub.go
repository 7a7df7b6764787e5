package pikvmtest

import (
	"encoding/json"
	"sync"
)

// hub hands events to the event sockets.
type hub struct {
	version version

	mu      sync.Mutex
	sockets map[*socket]struct{}
	changed notifier
}

func newHub(v version) *hub {
	return &hub{version: v, sockets: make(map[*socket]struct{})}
}

// broadcast queues an event for every socket. It never blocks, so subsystems call it under their locks, which keeps
// events in the order of the changes.
func (h *hub) broadcast(ev event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.sockets) == 0 {
		return
	}
	for _, f := range h.version.frames(ev) {
		h.queue(f)
	}
}

// queue is called with mu held.
func (h *hub) queue(f frame) {
	for s := range h.sockets {
		s.queue(f)
	}
}

// viewers returns how many sockets want the stream, and tells everybody (4.97+).
func (h *hub) viewers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for s := range h.sockets {
		if s.stream {
			n++
		}
	}
	if !h.version.atLeast(4, 97) {
		return n
	}
	for _, f := range h.version.frames(event{"clients", map[string]int{"count": n}}) {
		h.queue(f)
	}
	return n
}

// add admits a socket: from now on it gets what all get. first goes out before anything else.
func (h *hub) add(s *socket, first ...frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range first {
		s.queue(f)
	}
	h.sockets[s] = struct{}{}
	h.changed.wake()
}

// send queues frames for one socket.
func (h *hub) send(s *socket, frames ...frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range frames {
		s.queue(f)
	}
}

func (h *hub) remove(s *socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, s)
	h.changed.wake()
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sockets)
}

func (h *hub) all() []*socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*socket, 0, len(h.sockets))
	for s := range h.sockets {
		out = append(out, s)
	}
	return out
}

// frame is one WebSocket message.
type frame struct {
	binary bool
	data   []byte
}

// textFrame encodes an event under the name that it has on the wire.
func textFrame(name string, payload any) (frame, error) {
	data, err := pyJSON(map[string]any{"event_type": name, "event": payload}, false)
	return frame{data: data}, err
}

// frames spells an event in the way of the version: since 4.36 the names of the subsystems, from 4.21 on most of them
// with _state behind, and before that one event per part, each with the whole state of that part.
func (v version) frames(ev event) []frame {
	var out []frame
	put := func(name string, payload any) {
		if f, err := textFrame(name, payload); err == nil { // what the device sends has JSON
			out = append(out, f)
		}
	}
	switch {
	case v.atLeast(4, 36) || ev.kind == "loop" || ev.kind == "pong" || ev.kind == "clients":
		put(ev.kind, ev.payload)
	case v.atLeast(4, 21):
		put(ev.kind+"_state", ev.payload)
	case ev.kind == "gpio":
		for part, payload := range members(ev.payload, "model", "state") {
			put(map[string]string{"model": "gpio_model_state", "state": "gpio_state"}[part], payload)
		}
	case ev.kind == "info":
		for sub, payload := range members(ev.payload) {
			put("info_"+sub+"_state", payload)
		}
	case ev.kind == "ocr":
		put("streamer_ocr_state", map[string]any{"ocr": ev.payload})
	default:
		put(ev.kind+"_state", ev.payload)
	}
	return out
}

// members iterates over the members of an object, the named ones first.
func members(object any, first ...string) func(yield func(string, json.RawMessage) bool) {
	return func(yield func(string, json.RawMessage) bool) {
		var all map[string]json.RawMessage
		raw, err := json.Marshal(object)
		if err != nil || json.Unmarshal(raw, &all) != nil {
			return
		}
		for _, name := range first {
			if value, ok := all[name]; ok && !yield(name, value) {
				return
			}
			delete(all, name)
		}
		for name, value := range all {
			if !yield(name, value) {
				return
			}
		}
	}
}
