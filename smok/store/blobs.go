package store

import (
	"context"
	"crypto/sha256"
	"io"
	"iter"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Blob says what is stored under a key of [Blobs].
type Blob struct {
	Key     string
	Version int64
	Size    int64
	SHA256  [sha256.Size]byte // of the content
}

// Blobs keeps large contents under keys, each with a version. Version and content change together.
type Blobs interface {
	// Put stores the content, which it reads to the end, in place of what is there. With an error, what was there
	// stays; content that is too long is an error of kind TooLarge, blobs that are too much together one of kind Full. It
	// returns when the blob is safe from a power cut. The context ends it between two reads.
	Put(ctx context.Context, key string, version int64, content io.Reader) (Blob, error)

	// Get returns what is stored under a key, or an error of kind NotFound.
	Get(key string) (Blob, error)

	// Open returns the content as well. Its reader gives a *smok.StoreError instead of io.EOF if the content is damaged;
	// what it gave before is then worthless. A blob that is replaced or deleted can be read to its end.
	Open(key string) (Blob, io.ReadCloser, error)

	// Delete takes a key out. One that is not there is fine.
	Delete(key string) error

	// All returns the blobs by ascending keys.
	All() iter.Seq[Blob]

	// Close releases the store. A second call returns nil. Calls after it give an error of kind Closed.
	Close() error
}

// The default limits of blobs.
const (
	DefaultMaxBlob  = 64 << 20  // bytes of one
	DefaultMaxBlobs = 256 << 20 // bytes of all
)

// CheckBlob reports a key or a version that cannot be used as a *smok.InvalidArgumentError. Implementations of [Blobs]
// call it first.
func CheckBlob(op, key string, version int64) error {
	switch {
	case key == "" || len(key) > MaxKey:
		return smokerr.InvalidArgument(op, "key", "not of 1 to 4096 bytes", nil)
	case version < 0:
		return smokerr.InvalidArgument(op, "version", "negative", nil)
	}
	return nil
}
