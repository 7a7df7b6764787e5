package smok

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// ownPrefix is that of keys in the table of what only the device knows.
const ownPrefix = "baob/"

// baobs is the area of the binary objects.
type baobs struct {
	bare
	*host
	task     *task
	syncing  chan struct{} // holds a token while the objects are brought in step
	loaded   chan struct{}
	first    sync.Once // closes loaded
	watchers baobWatchers

	mu       sync.Mutex
	own      map[string]ownBAOB       // contents that this device has written
	refused  map[string]int64         // versions that the hub does not want
	oversize map[string]int64         // versions of the hub that are too large for the device
	busy     map[string]chan struct{} // keys whose contents are being replaced; closed when that is done
}

// ownBAOB says that the contents of a key were written by this device.
type ownBAOB struct {
	Version int64 `json:"version"`
	Sent    bool  `json:"sent,omitempty"` // the hub has it
}

func newBAOBs(h *host) *baobs {
	b := &baobs{
		host: h, syncing: make(chan struct{}, 1), loaded: make(chan struct{}),
		own: make(map[string]ownBAOB), refused: make(map[string]int64), oversize: make(map[string]int64), busy: make(map[string]chan struct{}),
	}
	b.task = &task{name: baobsName, every: h.opts.Intervals.BAOBs, run: b.sync}
	return b
}

func (b *baobs) name() string   { return baobsName }
func (b *baobs) tasks() []*task { return []*task{b.task} }

// load reads which contents are the device's own. A mark of contents that a crash kept from being stored stands for those
// that are there: better a backup too many. One that the hub's contents came after is dropped.
func (b *baobs) load() error {
	for key, raw := range b.state.All() {
		key, ok := strings.CutPrefix(key, ownPrefix)
		if !ok {
			continue
		}
		var own ownBAOB
		if err := json.Unmarshal(raw, &own); err != nil {
			b.report(baobsName, smokerr.Corrupt("baobs.load", baobsName, err))
			continue
		}
		blob, err := b.store.Blobs.Get(key)
		if err != nil && !errors.Is(err, smokerr.ErrNotFound) {
			return err
		}
		if own.Version > blob.Version {
			own = ownBAOB{Version: blob.Version}
		}
		if err != nil || own.Version < blob.Version {
			if err := b.state.Delete(b.life, ownPrefix+key); err != nil {
				return err
			}
			continue
		}
		b.own[key] = own
	}
	return nil
}

func (b *baobs) flush(ctx context.Context) error {
	if !b.online() || !b.unsent() {
		return nil
	}
	return b.sync(ctx)
}

// unsent reports whether the hub does not have something of the device's own.
func (b *baobs) unsent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, own := range b.own {
		if !own.Sent {
			return true
		}
	}
	return false
}

// lock waits until nobody replaces the contents of a key, and lets nobody else until unlock is called.
func (b *baobs) lock(ctx context.Context, key string) (unlock func(), err error) {
	for {
		b.mu.Lock()
		wait := b.busy[key]
		if wait == nil {
			done := make(chan struct{})
			b.busy[key] = done
			b.mu.Unlock()
			return func() {
				b.mu.Lock()
				delete(b.busy, key)
				b.mu.Unlock()
				close(done)
			}, nil
		}
		b.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, smokerr.Store("baobs", baobsName, context.Cause(ctx))
		}
	}
}

// version returns the version of what is stored under a key, -1 if there is nothing.
func (b *baobs) version(key string) (int64, error) {
	blob, err := b.store.Blobs.Get(key)
	if errors.Is(err, smokerr.ErrNotFound) {
		return -1, nil
	}
	return blob.Version, err
}

// set stores contents of the device's own. The mark comes first: without the contents it means nothing.
func (b *baobs) set(ctx context.Context, key string, contents io.Reader) (BAOB, error) {
	unlock, err := b.lock(ctx, key)
	if err != nil {
		return BAOB{}, err
	}
	defer unlock()
	version, err := b.version(key)
	if err != nil {
		return BAOB{}, err
	}
	version++
	before, had := b.ownOf(key)
	if err := b.mark(ctx, key, ownBAOB{Version: version}); err != nil {
		return BAOB{}, err
	}
	blob, err := b.store.Blobs.Put(ctx, key, version, contents)
	if err != nil {
		// With the old mark the old contents are still what they were.
		b.report(baobsName, b.restore(context.WithoutCancel(ctx), key, before, had))
		return BAOB{}, err
	}
	b.task.wake()
	return blob, nil
}

func (b *baobs) ownOf(key string) (ownBAOB, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	own, ok := b.own[key]
	return own, ok
}

func (b *baobs) restore(ctx context.Context, key string, own ownBAOB, had bool) error {
	if had {
		return b.mark(ctx, key, own)
	}
	return b.unmark(ctx, key)
}

// mark records that the contents of a key are the device's own.
func (b *baobs) mark(ctx context.Context, key string, own ownBAOB) error {
	raw, err := json.Marshal(own)
	if err != nil {
		return smokerr.Store("baobs", baobsName, err)
	}
	if err := b.state.Put(ctx, ownPrefix+key, raw); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.own[key] = own
	return nil
}

// unmark records that the contents of a key are not the device's own.
func (b *baobs) unmark(ctx context.Context, key string) error {
	if _, had := b.ownOf(key); !had {
		return nil
	}
	if err := b.state.Delete(ctx, ownPrefix+key); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.own, key)
	return nil
}

// keepBackup copies the contents of a key if they are the device's own. It reports whether they are.
func (b *baobs) keepBackup(ctx context.Context, key string) (bool, error) {
	if _, own := b.ownOf(key); !own {
		return false, nil
	}
	blob, contents, err := b.store.Blobs.Open(key)
	if errors.Is(err, smokerr.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = contents.Close() }() // it is only read
	_, err = b.store.Blobs.Put(ctx, backupPrefix+key, blob.Version, contents)
	return err == nil, err
}

// anyVersion stands for the version that there is.
const anyVersion = -2

// remove deletes a key because the hub says so, unless it has changed since the hub saw this version of it.
func (b *baobs) remove(ctx context.Context, key string, version int64) error {
	unlock, err := b.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	now, err := b.version(key)
	switch {
	case err != nil:
		return err
	case now < 0:
		return b.unmark(ctx, key)
	case version != anyVersion && version != now:
		b.task.wake()
		return nil
	}
	kept, err := b.keepBackup(ctx, key)
	if err != nil {
		return err
	}
	if err := b.store.Blobs.Delete(key); err != nil {
		return err
	}
	b.tell(BAOBChange{Key: key, Version: -1, Backup: kept})
	return b.unmark(ctx, key)
}

// tell tells those who watch, unless this is the first attempt to get in step.
func (b *baobs) tell(change BAOBChange) {
	select {
	case <-b.loaded:
		b.watchers.tell(change)
	default:
	}
}
