package smok

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// BAOB is a binary object: contents under a key, with a version that every change raises.
type BAOB = store.Blob

// BAOBs are the binary objects that the device and the hub share. What the program writes is stored before the call
// returns, and reaches the hub when that can be reached. All methods may be called from several goroutines.
//
// The hub decides by the version alone: the higher one wins. If both sides have changed an object, the hub's replaces the
// device's, which is kept as a backup, and an error of class [ErrConflict] is reported. Contents that this device has
// written and that the hub deletes are kept as a backup too.
type BAOBs struct{ area *baobs }

// BAOBs returns the binary objects of the device.
func (d *Device) BAOBs() BAOBs { return BAOBs{d.baobs} }

// Get returns what is stored under a key, without its contents, or a *[NotFoundError].
func (b BAOBs) Get(key string) (BAOB, error) {
	if err := b.check("baobs.get", key); err != nil {
		return BAOB{}, err
	}
	return b.area.store.Blobs.Get(key)
}

// Version returns the version of a key, -1 if there is nothing.
func (b BAOBs) Version(key string) (int64, error) {
	blob, err := b.Get(key)
	if errors.Is(err, smokerr.ErrNotFound) {
		return -1, nil
	}
	return blob.Version, err
}

// Open returns the contents of a key, to be closed by the caller. They stay as they are while they are read. Damage is an
// error of class [ErrCorrupt] instead of io.EOF: what was read before is worthless then.
func (b BAOBs) Open(key string) (BAOB, io.ReadCloser, error) {
	if err := b.check("baobs.open", key); err != nil {
		return BAOB{}, nil, err
	}
	return b.area.store.Blobs.Open(key)
}

// All returns the objects, without their contents, by ascending keys.
func (b BAOBs) All() iter.Seq[BAOB] {
	return func(yield func(BAOB) bool) {
		for blob := range b.area.store.Blobs.All() {
			if !strings.HasPrefix(blob.Key, backupPrefix) && !yield(blob) {
				return
			}
		}
	}
}

// Set stores contents, read to their end, under a key. The version is 0 for a new key and one more than before for
// another. With an error what was there stays.
func (b BAOBs) Set(ctx context.Context, key string, contents io.Reader) (BAOB, error) {
	const op = "baobs.set"
	if err := b.check(op, key); err != nil {
		return BAOB{}, err
	}
	if contents == nil {
		return BAOB{}, smokerr.InvalidArgument(op, "contents", "nil", nil)
	}
	return b.area.set(ctx, key, contents)
}

// Backup returns contents of this device that the hub has replaced or deleted, to be closed by the caller, or a
// *[NotFoundError]. There is at most one backup of a key, the last one.
func (b BAOBs) Backup(key string) (BAOB, io.ReadCloser, error) {
	if err := b.check("baobs.backup", key); err != nil {
		return BAOB{}, nil, err
	}
	blob, contents, err := b.area.store.Blobs.Open(backupPrefix + key)
	blob.Key = key
	return blob, contents, err
}

// DropBackup deletes the backup of a key. If there is none, that is fine.
func (b BAOBs) DropBackup(key string) error {
	if err := b.check("baobs.dropBackup", key); err != nil {
		return err
	}
	return b.area.store.Blobs.Delete(backupPrefix + key)
}

// Sync brings the objects in step with the hub now, also with the network switched off by [Device.SetOffline].
func (b BAOBs) Sync(ctx context.Context) error {
	if err := b.area.allow("baobs.sync", b.area.opts.Disable.BAOBs); err != nil {
		return err
	}
	return b.area.sync(ctx)
}

// Loaded returns a channel that is closed when the first attempt to bring the objects in step with the hub has ended,
// whether it succeeded or not.
func (b BAOBs) Loaded() <-chan struct{} { return b.area.loaded }

// BAOBChange tells what the hub has done to a BAOB of the device.
type BAOBChange struct {
	Key     string
	Version int64 // -1 if it was deleted
	Backup  bool  // what the device had written itself was kept as a backup
}

// Watch yields what the hub changes from now on, except in the first attempt to get in step, until ctx ends or the device
// closes. Of several changes of a key that come while the loop is busy, it yields the last one.
func (b BAOBs) Watch(ctx context.Context) iter.Seq[BAOBChange] {
	return b.area.watchers.watch(ctx, b.area.life)
}

func (b BAOBs) check(op, key string) error {
	if err := b.area.allow(op, b.area.opts.Disable.BAOBs); err != nil {
		return err
	}
	if strings.HasPrefix(key, "\x00") {
		return smokerr.InvalidArgument(op, "key", "begins with a zero byte", nil)
	}
	if len(key) > maxBAOBKey {
		return smokerr.InvalidArgument(op, "key", "longer than 1 KiB", nil)
	}
	return api.CheckKey(op, "key", key)
}

// Limits and names of BAOBs.
const (
	baobsName  = "baobs"
	maxBAOBKey = 1 << 10
	// backupPrefix is that of the keys of backups, in the store. No other key begins with a zero byte.
	backupPrefix = "\x00backup/"
)
