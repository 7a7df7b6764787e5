package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// memBlobs is [Blobs] in memory.
type memBlobs struct {
	maxBlob, maxBytes int64

	mu     sync.Mutex
	blobs  map[string]memBlob
	bytes  int64
	closed bool
}

type memBlob struct {
	Blob
	content []byte
}

// NewBlobs returns [Blobs] in memory, with limits for one and for all together, in bytes. Zero means the default limits.
func NewBlobs(maxBlob, maxBytes int64) Blobs {
	if maxBlob == 0 {
		maxBlob = DefaultMaxBlob
	}
	if maxBytes == 0 {
		maxBytes = DefaultMaxBlobs
	}
	return &memBlobs{maxBlob: maxBlob, maxBytes: maxBytes, blobs: make(map[string]memBlob)}
}

// Put stores a blob.
func (b *memBlobs) Put(ctx context.Context, key string, version int64, content io.Reader) (Blob, error) {
	if err := CheckBlob("store.put", key, version); err != nil {
		return Blob{}, err
	}
	var buf bytes.Buffer
	sum := sha256.New()
	n, err := CopyBlob(ctx, io.MultiWriter(&buf, sum), content, b.maxBlob)
	if err != nil {
		return Blob{}, smokerr.Store("store.put", "blobs", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.blobs[key].Size
	switch {
	case b.closed:
		return Blob{}, smokerr.Closed("store.put")
	case b.bytes-old+n > b.maxBytes:
		return Blob{}, smokerr.QueueFull("store.put", "blobs", len(b.blobs))
	}
	blob := memBlob{Blob: Blob{Key: key, Version: version, Size: n, SHA256: [sha256.Size]byte(sum.Sum(nil))}, content: buf.Bytes()}
	b.blobs[key] = blob
	b.bytes += n - old
	return blob.Blob, nil
}

// CopyBlob copies content, of at most so many bytes, until it ends or ctx is done. Content that is longer is an error of
// kind TooLarge. It is for implementations of [Blobs].
func CopyBlob(ctx context.Context, to io.Writer, content io.Reader, most int64) (int64, error) {
	n, err := io.Copy(to, io.LimitReader(contextReader{ctx, content}, most+1))
	if err == nil && n > most {
		err = errkit.TooLarge
	}
	return n, err
}

// contextReader ends when its context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}

func (b *memBlobs) get(op, key string) (memBlob, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	blob, ok := b.blobs[key]
	switch {
	case b.closed:
		return memBlob{}, smokerr.Closed(op)
	case !ok:
		return memBlob{}, smokerr.NotFound(op, "baob", key)
	}
	return blob, nil
}

// Get returns what is stored under a key.
func (b *memBlobs) Get(key string) (Blob, error) {
	blob, err := b.get("store.get", key)
	return blob.Blob, err
}

// Open returns the content as well.
func (b *memBlobs) Open(key string) (Blob, io.ReadCloser, error) {
	blob, err := b.get("store.open", key)
	if err != nil {
		return Blob{}, nil, err
	}
	return blob.Blob, io.NopCloser(bytes.NewReader(blob.content)), nil
}

// Delete takes a key out.
func (b *memBlobs) Delete(key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return smokerr.Closed("store.delete")
	}
	b.bytes -= b.blobs[key].Size
	delete(b.blobs, key)
	return nil
}

// All returns the blobs.
func (b *memBlobs) All() iter.Seq[Blob] {
	return func(yield func(Blob) bool) {
		b.mu.Lock()
		blobs := maps.Clone(b.blobs)
		b.mu.Unlock()
		for _, key := range slices.Sorted(maps.Keys(blobs)) {
			if !yield(blobs[key].Blob) {
				return
			}
		}
	}
}

// Close releases the store.
func (b *memBlobs) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}
