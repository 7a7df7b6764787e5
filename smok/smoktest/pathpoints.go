package smoktest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The storage levels of pathpoints.
const (
	Permanent = 0 // kept for ever
	Trend     = 1 // kept for two weeks
)

// Pathpoint is a pathpoint of a device as the hub knows it.
type Pathpoint struct {
	Path         string
	StorageLevel int
	// Registered tells that the device has sent it, Fixed that a test has set its level, which the device cannot change
	// then.
	Registered, Fixed bool
}

// SetPathpoint sets the storage level of a pathpoint, whether the device knows it or not.
func (d *Device) SetPathpoint(path string, storageLevel int) {
	d.change(func(s *device) {
		p := s.pathpoint(path)
		p.StorageLevel, p.Fixed = storageLevel, true
	})
}

// Pathpoints returns the pathpoints of the device, sorted.
func (d *Device) Pathpoints() []Pathpoint {
	return inspect(d, func(s *device) []Pathpoint {
		out := make([]Pathpoint, 0, len(s.pathpoints))
		for _, p := range s.pathpoints {
			out = append(out, *p)
		}
		slices.SortFunc(out, func(a, b Pathpoint) int { return cmp.Compare(a.Path, b.Path) })
		return out
	})
}

func (s *device) pathpoint(path string) *Pathpoint {
	p := s.pathpoints[path]
	if p == nil {
		p = &Pathpoint{Path: path, StorageLevel: Trend}
		s.pathpoints[path] = p
	}
	return p
}

// native checks the name of a pathpoint that a device may send.
func (f *fields) native(key string) string {
	path := f.text(key)
	if path == "" || !strings.Contains("BWwfdu", path[:1]) {
		f.fail(key, "not the name of a native pathpoint")
	}
	return path
}

// putPathpoints takes the definitions of a device and answers with those of the hub.
func putPathpoints(c *call) (any, error) {
	sent, err := decodeList(c, func(f *fields) Pathpoint {
		return Pathpoint{Path: f.native("path"), StorageLevel: int(f.integer("storage_level", Permanent, Trend))}
	})
	if err != nil {
		return nil, err
	}
	if len(c.device.pathpoints)+len(sent) > c.hub.opts.MaxKept {
		return nil, refuse(http.StatusInsufficientStorage, "too many pathpoints")
	}
	for _, p := range c.device.pathpoints {
		p.Registered = false // a device sends all that it has
	}
	for _, def := range sent {
		p := c.device.pathpoint(def.Path)
		p.Registered = true
		if !p.Fixed {
			p.StorageLevel = def.StorageLevel
		}
	}
	known := make([]any, 0, len(c.device.pathpoints))
	for _, p := range c.device.pathpoints {
		known = append(known, map[string]any{"path": p.Path, "storage_level": p.StorageLevel})
	}
	slices.SortFunc(known, func(a, b any) int {
		return cmp.Compare(a.(map[string]any)["path"].(string), b.(map[string]any)["path"].(string))
	})
	return known, nil
}

// Archive says that pathpoints are to be read at an interval of whole seconds.
type Archive struct {
	Interval   time.Duration
	Pathpoints []string
}

// SetArchives replaces the list of what the device is to read.
func (d *Device) SetArchives(archives ...Archive) {
	archives = slices.Clone(archives)
	for i := range archives {
		archives[i].Pathpoints = slices.Clone(archives[i].Pathpoints)
	}
	d.change(func(s *device) { s.archives = archives })
}

func getArchives(c *call) (any, error) {
	out := make([]any, 0, len(c.device.archives))
	for _, a := range c.device.archives {
		out = append(out, map[string]any{
			"interval": int64(a.Interval / time.Second), "pathpoints": append([]string{}, a.Pathpoints...),
		})
	}
	return out, nil
}
