package pikvmtest

import (
	"embed"
	"encoding/json"
	"net/http"
)

// subsystem is one part of the device. Each lives in files of its own and is listed in newSubsystems.
type subsystem interface {
	// routes adds the REST endpoints.
	routes(k *router)

	// announce sends the full state to all event sockets. State and sending must not be torn apart by a change, so
	// subsystems broadcast under their own lock.
	announce()
}

// event is one message of the event socket before it gets its name on the wire.
type event struct {
	kind    string
	payload any
}

// deviceFS holds what a device without further hardware reports, one document per subsystem.
//
//go:embed device/*.json
var deviceFS embed.FS

// document is a subsystem that only shows a fixed state.
type document struct {
	kind string
	path string // of the REST resource
	raw  json.RawMessage
	wrap string // member that the REST answer wraps the state in, if any
	hub  *hub
}

func (s *Server) newDocument(kind, path, wrap string) *document {
	return &document{kind: kind, path: path, wrap: wrap, raw: readDocument(kind), hub: s.hub}
}

func (d *document) routes(k *router) {
	k.add(http.MethodGet, d.path, func(c *call) error {
		if d.wrap != "" {
			return c.ok(map[string]any{d.wrap: d.raw})
		}
		return c.ok(d.raw)
	})
}

func (d *document) announce() { d.hub.broadcast(event{d.kind, d.raw}) }

func readDocument(kind string) json.RawMessage {
	raw, err := deviceFS.ReadFile("device/" + kind + ".json")
	if err != nil {
		panic(err) // the file is part of the program
	}
	return raw
}

// newSubsystems lists the parts of a device of the server's version, in the order of their full states.
func (s *Server) newSubsystems() []subsystem {
	parts := []subsystem{
		s.gpio,
		s.atx,
		s.msd,
		s.newDocument("ocr", "/streamer/ocr", "ocr"),
		s.streamer,
		hidKeymaps{s.hid},
	}
	if s.version.atLeast(4, 26) {
		parts = append(parts, s.kvmSwitch)
	}
	return append(parts, s.hid, s.info, &redfish{s}, &export{server: s}, s.journal)
}
