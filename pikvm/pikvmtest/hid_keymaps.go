package pikvmtest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// hidKeymaps shows the layouts.
type hidKeymaps struct{ hid *hid }

func (k hidKeymaps) routes(r *router) {
	r.add(http.MethodGet, "/hid/keymaps", func(c *call) error { return c.ok(k.state()) })
}

func (k hidKeymaps) announce() { k.hid.hub.broadcast(event{"hid_keymaps", k.state()}) }

func (k hidKeymaps) state() map[string]any {
	all := slices.Sorted(slices.Values(k.hid.keymaps()))
	return map[string]any{"keymaps": map[string]any{"default": k.hid.keymaps()[0], "available": all}}
}

// keymaps are the names of the layouts, the default first.
func (h *hid) keymaps() []string { return h.opts.Keymaps }

// recordedKeymaps are the layouts of the recorded device, the default first.
func recordedKeymaps() []string {
	var recorded struct {
		Keymaps struct {
			Default   string   `json:"default"`
			Available []string `json:"available"`
		} `json:"keymaps"`
	}
	if err := json.Unmarshal(readDocument("hid_keymaps"), &recorded); err != nil {
		panic(err) // the file is part of the program
	}
	names := slices.DeleteFunc(recorded.Keymaps.Available, func(name string) bool { return name == recorded.Keymaps.Default })
	return append([]string{recorded.Keymaps.Default}, names...)
}
