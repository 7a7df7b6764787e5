package store

import (
	"context"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

type (
	// Entry is a record that is to be stored: a payload of at most [spool.MaxPayload] bytes, a tag and a time.
	Entry = spool.Entry
	// Record is a record of a [Log].
	Record = spool.Record
)

// Log is a durable queue: records go in at one end and are taken out at the other. Numbers begin with 1 and ascend, not
// always without gaps. A *[spool.Spool] is a Log.
type Log interface {
	// Append stores a record behind all others and returns its number. With a nil error it is stored as durably as the
	// log promises; with any other it is not, except that after a failure of the disk a crash may bring it to light. The
	// payload may be changed after the return. An entry without a time gets the present one.
	Append(ctx context.Context, e Entry) (seq uint64, err error)

	// AppendBatch stores records behind one another, at the price of one, and returns the number of the first one. It
	// accepts all or none. Without entries it returns 0.
	AppendBatch(ctx context.Context, entries []Entry) (first uint64, err error)

	// PeekFrom returns at most n records without removing them, from number seq on, or from the next one that there is.
	// It may return fewer than there are, but none only if there are none. The records are the caller's own.
	PeekFrom(seq uint64, n int) ([]Record, error)

	// Remove takes the records up to and with number upTo out. Numbers that are removed already do nothing; one that was
	// never given is an error of kind Invalid. After a crash, the records that were removed last may come again.
	Remove(upTo uint64) error

	// Quarantine takes one record out that can never be dealt with, wherever in the log, and keeps it aside with the
	// reason, as far as the log has room for such. A number that is no record is an error of kind Invalid.
	Quarantine(seq uint64, reason string) error

	// Wait returns nil when a record with number seq or above was appended. It returns an error when ctx is done or the
	// log is closed before.
	Wait(ctx context.Context, seq uint64) error

	// Sync makes everything that was appended or removed so far safe from a power cut.
	Sync() error

	// Len returns the number of records, and Bytes their size in the store.
	Len() int64
	Bytes() int64

	// Close makes everything safe and ends all calls that wait. A second call returns nil. Calls after it give an error
	// of kind Closed.
	Close() error
}
