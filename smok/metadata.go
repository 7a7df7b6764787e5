package smok

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Metadata is the map of texts that the device and the hub share. What the program writes is stored at once and reaches the
// hub when that can be reached; of two writers the later one wins, by the seconds of their clocks. All methods may be
// called from several goroutines.
type Metadata struct{ area *metadata }

// Metadata returns the metadata of the device.
func (d *Device) Metadata() Metadata { return Metadata{d.metadata} }

// Get returns the value of a key, or a *[NotFoundError]. What was written or asked for less than
// [Options.CacheMetadata] ago is not asked for again. If the hub cannot be reached, the value is the one that is known; if
// none is, the error says why. With the network off it is the one that is known.
func (m Metadata) Get(ctx context.Context, key string) (string, error) {
	const op = "metadata.get"
	if err := m.check(op, key); err != nil {
		return "", err
	}
	return m.area.get(ctx, op, key)
}

// Set gives a key a value, of at most 64 KiB of UTF-8. With a nil error it is stored, and Get returns it, unless the hub
// turns out to have a value that was written later. An empty value deletes the key.
func (m Metadata) Set(ctx context.Context, key, value string) error {
	const op = "metadata.set"
	if err := m.check(op, key); err != nil {
		return err
	}
	switch {
	case len(value) > maxMetadata:
		return smokerr.InvalidArgument(op, "value", "longer than 64 KiB", nil)
	case !utf8.ValidString(value):
		return smokerr.InvalidArgument(op, "value", "not UTF-8", nil)
	}
	return m.area.write(ctx, key, value)
}

// Delete takes a key out, here and at the hub. One that is not there is fine.
func (m Metadata) Delete(ctx context.Context, key string) error {
	const op = "metadata.delete"
	if err := m.check(op, key); err != nil {
		return err
	}
	return m.area.write(ctx, key, "")
}

// Flush brings to the hub now what was written. With the network off the error is of class [ErrSyncDisabled]. What the hub
// refuses is given up and reported.
func (m Metadata) Flush(ctx context.Context) error {
	const op = "metadata.flush"
	if err := m.area.allow(op, m.area.opts.Disable.Metadata); err != nil {
		return err
	}
	if !m.area.online() {
		return smokerr.ErrSyncDisabled.Wrap(op, "", nil)
	}
	return m.area.sync(ctx)
}

// Limits of metadata.
const (
	metadataName = "metadata"
	maxMetadata  = 64 << 10
	maxMetaKey   = 1 << 10
)

func (m Metadata) check(op, key string) error {
	if err := m.area.allow(op, m.area.opts.Disable.Metadata); err != nil {
		return err
	}
	if len(key) > maxMetaKey {
		return smokerr.InvalidArgument(op, "key", "longer than 1 KiB", nil)
	}
	return api.CheckKey(op, "key", key)
}

// get returns the value of a key, from the hub if what is known is not fresh.
func (m *metadata) get(ctx context.Context, op, key string) (string, error) {
	known, fresh, edition := m.look(key)
	if fresh || !m.online() {
		return known.answer(op, key)
	}
	value, at, err := m.api.Metadata(ctx, key)
	missing := errors.Is(err, smokerr.ErrNotFound)
	if err != nil && !missing {
		if known != nil {
			return known.answer(op, key)
		}
		return "", err
	}
	if missing {
		value, at = "", time.Time{}
	}
	now, err := m.learn(ctx, key, metadatum{Value: value, At: at}, edition)
	if err != nil {
		m.report(metadataName, err) // the answer is good all the same
	}
	return now.answer(op, key)
}

// answer returns the value, or that there is none.
func (m *metadatum) answer(op, key string) (string, error) {
	if m == nil || m.Value == "" {
		return "", smokerr.NotFound(op, "metadata", key)
	}
	return m.Value, nil
}
