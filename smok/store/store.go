package store

import (
	"errors"
	"io"
)

// Store is everything that a device keeps. All parts but Lock must be there. A program that makes one of its own may take
// parts of another, such as those of [Memory].
type Store struct {
	// Trend and Permanent hold values that the hub does not have yet, by their storage level. They share one bound: what
	// is dropped for want of room are the oldest ones of Trend, and of Permanent only when Trend is empty.
	Trend, Permanent Log

	Events  Log // a [Table]: events that the hub does not have yet, and those that are open
	Logs    Log // log records for the hub; the oldest are dropped for want of room
	Writes  Log // the audit of sensor writes; the oldest are dropped for want of room
	Journal Log // a [Table]: orders accepted and done
	State   Log // a [Table]: what only this device knows, and the hub cannot send again

	Keyed Keyed // what the hub can send again
	Blobs Blobs // contents of BAOBs

	Lock io.Closer // closed when everything else is; may be nil
}

// Close closes all parts. It returns their failures; they are closed then as well.
func (s *Store) Close() error {
	var errs []error
	for _, part := range []io.Closer{
		s.Trend, s.Permanent, s.Events, s.Logs, s.Writes, s.Journal, s.State, s.Keyed, s.Blobs, s.Lock,
	} {
		if part != nil {
			errs = append(errs, part.Close())
		}
	}
	return errors.Join(errs...)
}

// The default bounds of a store's logs. Those of values are one common bound.
const (
	DefaultMaxValues = 64 << 20
	DefaultMaxLogs   = 8 << 20
	DefaultMaxWrites = 16 << 20
)
