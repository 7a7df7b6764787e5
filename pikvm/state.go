package pikvm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Limits of a state, far above what devices send: an image list of thousands fits.
const (
	maxStateParts = 64      // subsystems
	maxStateBytes = 8 << 20 // of all subsystems together
)

var errNotTold = errors.New("the device has not told its state")

// State is what the events of one connection say of the device: a snapshot that never changes. It has what the
// device has sent so far, subsystem by subsystem, each named by the type of its events.
//
// A snapshot of a deleted screenshot stays in the streamer's state: the device does not tell.
type State struct {
	parts map[EventType]*statePart
	size  int
	live  bool
}

// statePart is the state of one subsystem. Its JSON is made when somebody asks.
type statePart struct {
	members object
	size    int
	text    func() json.RawMessage
}

// Live reports whether the connection that told this was up when the snapshot was taken.
func (s *State) Live() bool { return s.live }

// ATX returns the buttons and LEDs of the host, and false as long as the device has not told them in a readable
// form; [State.Decode] says what is wrong.
func (s *State) ATX() (*ATXState, bool) { return decodePart[ATXState](s, EventATX) }

// Info returns what the device tells of itself, and false as long as it has told nothing readable. Its parts
// come one by one.
func (s *State) Info() (*InfoState, bool) { return decodePart[InfoState](s, EventInfo) }

// decodePart decodes anew for every caller, so that no caller can change what another one sees.
func decodePart[T any](s *State, t EventType) (*T, bool) {
	v := new(T)
	if s.Decode(t, v) != nil {
		return nil, false
	}
	return v, true
}

// Clients returns the number of stream viewers, and false if the device has not told it. Devices before version
// 4.97 do not.
func (s *State) Clients() (int, bool) {
	var clients struct {
		Count *loose `json:"count"`
	}
	if s.Decode(EventClients, &clients) != nil || clients.Count == nil {
		return 0, false
	}
	return int(clients.Count.int64()), true
}

// Version returns the version of the device's software, zero as long as the device has not told it.
func (s *State) Version() Version {
	var loop struct {
		Version struct {
			Major, Minor loose
		}
	}
	if s.Decode(EventLoop, &loop) == nil && loop.Version.Major > 0 {
		return Version{Major: int(loop.Version.Major.int64()), Minor: int(loop.Version.Minor.int64())}
	}
	if info, ok := s.Info(); ok && info.System != nil { // before 4.21
		return info.System.KVMD
	}
	return Version{}
}

// Raw returns the state of a subsystem as JSON, nil if the device has told nothing of it. Everything that the
// device sends is there, whether this package knows it or not.
func (s *State) Raw(t EventType) json.RawMessage {
	part, ok := s.parts[t]
	if !ok {
		return nil
	}
	return bytes.Clone(part.text())
}

// Decode stores the state of a subsystem in v, as [json.Unmarshal] does. The error is a [WebSocketError]: of
// kind NotReady if the device has told nothing of it, of kind Protocol if it does not fit v.
func (s *State) Decode(t EventType, v any) error {
	const op = "events.Decode"
	part, ok := s.parts[t]
	if !ok {
		return &WebSocketError{Info: errkit.Info{
			Class: ErrWebSocket, Op: op, Target: string(t), Kind: errkit.NotReady, Err: errNotTold,
		}}
	}
	if err := json.Unmarshal(part.text(), v); err != nil {
		return newWebSocketError(ErrWebSocket, op, string(t), 0, "", err)
	}
	return nil
}

// fold returns the state after an event. It is s itself if the event says nothing of the state.
func (s *State) fold(f eventFrame) (*State, error) {
	rule, known := mergeRules[f.name]
	switch {
	case f.data == nil:
		return s, nil
	case f.data[0] != '{' && !known:
		return s, nil // whatever it is, it is no state
	}
	event, err := parseObject(f.data, rule.open)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", f.name, err)
	}
	old, present := s.parts[f.name]
	members := event
	switch {
	case f.piecemeal && present:
		members = old.members.merge(event, nil)
	case f.piecemeal || event.isComplete(rule):
	case present:
		members = old.members.merge(event, rule.open)
	case len(rule.complete) > 0:
		return s, nil // a part of something unknown
	}
	part := newStatePart(members)
	next := &State{parts: maps.Clone(s.parts), size: s.size + part.size, live: s.live}
	if present {
		next.size -= old.size
	}
	if next.parts == nil {
		next.parts = make(map[EventType]*statePart)
	}
	next.parts[f.name] = part
	if len(next.parts) > maxStateParts || next.size > maxStateBytes {
		return nil, fmt.Errorf("event %s: the state grows too large: %w", f.name, errkit.TooLarge|errkit.Protocol)
	}
	return next, nil
}

// stale returns the state as it is without a connection.
func (s *State) stale() *State {
	stale := *s
	stale.live = false
	return &stale
}

func newStatePart(members object) *statePart {
	return &statePart{
		members: members,
		size:    members.size(),
		text:    sync.OnceValue(func() json.RawMessage { return members.appendJSON(nil) }),
	}
}
