package smok

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// What is known of the metadata is bounded: a key that was not used longest is forgotten, unless the hub is still to get it.
const (
	maxMetaKeys  = 4096
	maxMetaBytes = 4 << 20
)

// dirtyPrefix is that of keys in the table of what only the device knows.
const dirtyPrefix = "metadata/"

// metadata is the area of the metadata. What the hub does not have yet is in the table, everything else in the keyed
// store.
type metadata struct {
	bare
	*host
	task *task

	flushing chan struct{} // holds a token while something is sent, so that what is written to a key is sent in order

	mu    sync.Mutex
	known map[string]*metadatum
	bytes int    // of known
	moves uint64 // counts changes, to find out about those that were made meanwhile
}

// metadatum is the value of a key; without a value there is none.
type metadatum struct {
	Value string    `json:"value"`
	At    time.Time `json:"at"` // when it was written

	dirty   bool          // the hub does not have it
	owed    bool          // the hub has it, and the keyed store could not take it
	fresh   bool          // it was written, or the hub was asked, at looked
	looked  time.Duration // by the monotonic clock
	edition uint64        // when it changed, by metadata.moves
}

func newMetadata(h *host) *metadata {
	m := &metadata{host: h, flushing: make(chan struct{}, 1), known: make(map[string]*metadatum)}
	m.task = &task{name: metadataName, every: h.opts.Intervals.Metadata, run: m.sync}
	return m
}

func (m *metadata) name() string   { return metadataName }
func (m *metadata) tasks() []*task { return []*task{m.task} }

func (m *metadata) load() error {
	take := func(key string, raw []byte, dirty bool) {
		value := &metadatum{dirty: dirty}
		if err := json.Unmarshal(raw, value); err != nil {
			m.report(metadataName, smokerr.Corrupt("metadata.load", metadataName, err))
			return
		}
		m.put(key, value)
	}
	err := m.store.Keyed.Each(metadataName, func(key string, raw []byte) error { take(key, raw, false); return nil })
	if err != nil {
		return err
	}
	for key, raw := range m.state.All() {
		if key, ok := strings.CutPrefix(key, dirtyPrefix); ok {
			take(key, raw, true)
		}
	}
	return nil
}

func (m *metadata) flush(ctx context.Context) error {
	if !m.online() {
		return nil
	}
	return m.sync(ctx)
}

// put takes a value into memory and returns the keys that are forgotten for it. mu is held, or nobody else has the area.
func (m *metadata) put(key string, value *metadatum) (forgotten []string) {
	m.moves++
	value.edition = m.moves
	m.remove(key)
	m.known[key] = value
	m.bytes += len(key) + len(value.Value)
	for len(m.known) > maxMetaKeys || m.bytes > maxMetaBytes {
		oldest := ""
		for other, v := range m.known {
			if other != key && !v.dirty && (oldest == "" || v.edition < m.known[oldest].edition) {
				oldest = other
			}
		}
		if oldest == "" {
			break
		}
		m.remove(oldest)
		forgotten = append(forgotten, oldest)
	}
	return forgotten
}

// remove takes a key out of memory. mu is held.
func (m *metadata) remove(key string) {
	if old := m.known[key]; old != nil {
		m.bytes -= len(key) + len(old.Value)
		delete(m.known, key)
	}
}

// look returns what is known of a key, nil if nothing, whether that is fresh, and a mark of this moment for learn.
func (m *metadata) look(key string) (known *metadatum, fresh bool, edition uint64) {
	now := m.clock.look().mono
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.known[key]
	if v == nil {
		return nil, false, m.moves
	}
	own := *v
	return &own, v.fresh && now-v.looked < m.opts.CacheMetadata, m.moves
}

// write stores what the hub is to get.
func (m *metadata) write(ctx context.Context, key, value string) error {
	now := m.clock.look()
	v := &metadatum{Value: value, At: now.wall, dirty: true, fresh: true, looked: now.mono}
	raw, err := json.Marshal(v)
	if err != nil {
		return smokerr.Store("metadata.set", metadataName, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock() // what is in the table and what is in memory change together
	if err := m.state.Put(ctx, dirtyPrefix+key, raw); err != nil {
		return err
	}
	m.forget(m.put(key, v))
	m.task.wake()
	return nil
}

// learn takes what the hub has, asked at the moment of edition, and returns what the value is now. What was written since,
// and what is still to be sent unless the hub's is later, is not replaced.
func (m *metadata) learn(ctx context.Context, key string, hub metadatum, edition uint64) (*metadatum, error) {
	hub.fresh, hub.looked = true, m.clock.look().mono
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.known[key]
	if old != nil {
		at, dated := m.written(old)
		if old.edition > edition || old.dirty && (!dated || !hub.At.After(at)) {
			own := *old
			return &own, nil
		}
		if old.dirty {
			if err := m.state.Delete(ctx, dirtyPrefix+key); err != nil {
				own := *old
				return &own, err
			}
		}
	}
	m.forget(m.put(key, &hub))
	own := hub
	if old != nil && !old.dirty && !old.owed && old.Value == hub.Value && old.At.Equal(hub.At) {
		return &own, nil // stored already
	}
	err := m.keep(key, &own)
	hub.owed = err != nil
	return &own, err
}

// keep stores what the hub has of a key. mu is held.
func (m *metadata) keep(key string, v *metadatum) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return smokerr.Store("metadata", metadataName, err)
	}
	return m.store.Keyed.Apply(store.Change{Area: metadataName, Key: key, Value: raw, Delete: v.Value == ""})
}

// written returns when a value was written. It is false while nobody knows: the clock was not set then, and is not now.
func (m *metadata) written(v *metadatum) (time.Time, bool) {
	switch {
	case !v.At.Before(m.opts.ClockFloor):
		return v.At, true
	case !m.clock.sane():
		return time.Time{}, false
	case v.fresh:
		return m.clock.at(v.looked), true
	}
	return m.clock.now(), true // before a restart: the time of the boot is not known
}

// forget takes keys out of the store. mu is held.
func (m *metadata) forget(keys []string) {
	for _, key := range keys {
		if err := m.store.Keyed.Apply(store.Change{Area: metadataName, Key: key, Delete: true}); err != nil {
			m.report(metadataName, err)
		}
	}
}

// sync brings to the hub what it does not have. What fails for one key does not keep the others back.
func (m *metadata) sync(ctx context.Context) error {
	select {
	case m.flushing <- struct{}{}:
		defer func() { <-m.flushing }()
	case <-ctx.Done():
		return smokerr.Sync("sync", metadataName, context.Cause(ctx))
	}
	var first error
	for key, v := range m.dirty() {
		if ctx.Err() != nil {
			break
		}
		at, dated := m.written(&v)
		if !dated {
			continue // its turn comes when the clock is set
		}
		v.At = at
		if err := m.send(ctx, key, v); err != nil && first == nil {
			first = smokerr.Sync("sync", metadataName, err)
		}
	}
	return first
}

func (m *metadata) dirty() map[string]metadatum {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]metadatum)
	for key, v := range m.known {
		if v.dirty {
			all[key] = *v
		}
	}
	return all
}

// send sends the value of a key.
func (m *metadata) send(ctx context.Context, key string, v metadatum) error {
	var err error
	if v.Value == "" {
		err = m.api.DeleteMetadata(ctx, key)
	} else {
		err = m.api.PutMetadata(ctx, key, v.Value, v.At)
	}
	refused := err != nil && rejected(err)
	if err != nil && !refused {
		return err
	}
	if refused {
		m.report(metadataName, smokerr.Sync("sync", metadataName, err))
	}
	return m.settle(context.WithoutCancel(ctx), key, v, refused)
}

// settle records that the hub has got a value, or will never take it. If it was written anew meanwhile, there is nothing to
// record.
func (m *metadata) settle(ctx context.Context, key string, sent metadatum, refused bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.known[key]
	if now == nil || now.edition != sent.edition {
		return nil
	}
	if !refused {
		if err := m.keep(key, &sent); err != nil {
			return err
		}
	}
	if err := m.state.Delete(ctx, dirtyPrefix+key); err != nil {
		return err
	}
	if refused { // what the hub has is the value again; nobody knows it
		m.remove(key)
		m.forget([]string{key})
		return nil
	}
	now.dirty, now.At = false, sent.At
	return nil
}
