package store

import (
	"bytes"
	"maps"
	"slices"
	"sync"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// memKeyed is a [Keyed] in memory.
type memKeyed struct {
	mu     sync.Mutex
	areas  map[string]map[string][]byte
	closed bool
}

// NewKeyed returns a [Keyed] in memory.
func NewKeyed() Keyed { return &memKeyed{areas: make(map[string]map[string][]byte)} }

// Get returns a value.
func (k *memKeyed) Get(area, key string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil, smokerr.Closed("store.get")
	}
	value, ok := k.areas[area][key]
	if !ok {
		return nil, smokerr.NotFound("store.get", area, key)
	}
	return own(value), nil
}

// own returns a copy that is not nil.
func own(value []byte) []byte { return append([]byte{}, value...) }

// Each calls fn with the entries of an area.
func (k *memKeyed) Each(area string, fn func(key string, value []byte) error) error {
	k.mu.Lock()
	closed, entries := k.closed, maps.Clone(k.areas[area])
	k.mu.Unlock()
	if closed {
		return smokerr.Closed("store.each")
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if err := fn(key, own(entries[key])); err != nil {
			return err
		}
	}
	return nil
}

// Apply makes changes.
func (k *memKeyed) Apply(changes ...Change) error {
	for i := range changes {
		if err := changes[i].Check("store.apply"); err != nil {
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return smokerr.Closed("store.apply")
	}
	for _, c := range changes {
		switch {
		case c.Delete && c.Key == "":
			delete(k.areas, c.Area)
		case c.Delete:
			delete(k.areas[c.Area], c.Key)
		default:
			if k.areas[c.Area] == nil {
				k.areas[c.Area] = make(map[string][]byte)
			}
			k.areas[c.Area][c.Key] = bytes.Clone(c.Value)
		}
	}
	return nil
}

// Close releases the store.
func (k *memKeyed) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	return nil
}
