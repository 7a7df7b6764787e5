package smok

import (
	"cmp"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// PathpointSettings are the settings of all pathpoints of a device. The zero value is good for use.
type PathpointSettings struct {
	// MaxAhead is how far in the future the time of a sample may be. Zero means 24h.
	MaxAhead time.Duration

	// TrustClock sends samples with the time that the clock showed, even if it was not set. By default those that were
	// taken before it was set wait until it is, and get their right times then. If the program ends before that, their
	// times cannot be known, and they are given up: see OnGivenUp.
	TrustClock bool

	// Retention is how long [Pathpoint.Archive] keeps what the hub has already. Zero means not at all.
	Retention time.Duration

	// RetentionBytes bounds the store's part for that. Zero means 16 MiB. It should be well below the bound of the store.
	RetentionBytes int64

	// LegacyFloat makes mkflt in the expressions of computed pathpoints put the bytes together in the reverse order, as
	// the original client does on most machines.
	LegacyFloat bool

	// CoerceComputed converts the values of computed pathpoints to the type in their name.
	CoerceComputed bool

	// OnGivenUp is told of every sample that will not reach the hub since the hub refuses it, or since its time cannot be
	// known. The store keeps it aside, as far as it has room for such. It must not block. Nil means that only OnError is
	// told.
	OnGivenUp func(path string, s Sample, err error)
}

func (o *PathpointSettings) check() error {
	switch {
	case o.MaxAhead < 0:
		return smokerr.InvalidArgument("new", "Pathpoints.MaxAhead", "is negative", nil)
	case o.Retention < 0:
		return smokerr.InvalidArgument("new", "Pathpoints.Retention", "is negative", nil)
	case o.RetentionBytes < 0:
		return smokerr.InvalidArgument("new", "Pathpoints.RetentionBytes", "is negative", nil)
	}
	o.MaxAhead = cmp.Or(o.MaxAhead, 24*time.Hour)
	o.RetentionBytes = cmp.Or(o.RetentionBytes, 16<<20)
	return nil
}
