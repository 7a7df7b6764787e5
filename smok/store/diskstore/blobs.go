package diskstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/disk"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// blobs keeps one file for each blob in a directory. What there is, it knows from the heads of the files.
type blobs struct {
	dir               string
	fs                disk.FS
	maxBlob, maxBytes int64
	report            func(store.Report)

	mu     sync.Mutex // held while names change
	index  map[string]store.Blob
	bytes  int64
	temps  int // files that were begun
	closed bool
}

func openBlobs(fsys disk.FS, dir string, o Options) (*blobs, error) {
	b := &blobs{
		dir: dir, fs: fsys, maxBlob: o.MaxBlob, maxBytes: o.MaxBlobs, report: o.report, index: make(map[string]store.Blob),
	}
	if err := b.load(); err != nil {
		return nil, smokerr.Store("store.open", blobsName, err)
	}
	return b, nil
}

// load reads the heads, and removes what a crash left half written.
func (b *blobs) load() error {
	if err := b.fs.MkdirAll(b.dir); err != nil {
		return err
	}
	files, err := os.ReadDir(b.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		name := filepath.Join(b.dir, f.Name())
		switch {
		case strings.HasSuffix(f.Name(), disk.TempSuffix):
			if err := b.fs.Remove(name); err != nil {
				return err
			}
		case disk.IsAside(name) || !strings.HasSuffix(f.Name(), blobSuffix):
		default:
			if err := b.adopt(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// adopt takes a file into the index, or sets it aside.
func (b *blobs) adopt(name string) error {
	blob, err := readBlob(name)
	if errors.Is(err, errBlobHead) {
		return b.setAside(name, "", err)
	}
	if err != nil {
		return err
	}
	b.index[blob.Key] = blob
	b.bytes += blob.Size
	return nil
}

// readBlob reads the head of a file and compares it with the rest.
func readBlob(name string) (store.Blob, error) {
	f, err := os.Open(name)
	if err != nil {
		return store.Blob{}, err
	}
	defer f.Close()
	blob, err := readHead(f)
	if err != nil {
		return blob, err
	}
	info, err := f.Stat()
	if err != nil {
		return blob, err
	}
	if blobName(blob.Key) != filepath.Base(name) || info.Size() != int64(blobHead+len(blob.Key))+blob.Size {
		return blob, fmt.Errorf("%w: it does not fit its file", errBlobHead)
	}
	return blob, nil
}

func (b *blobs) setAside(name, key string, cause error) error {
	aside, err := b.fs.SetAside(name)
	if err != nil {
		return err
	}
	b.report(store.Report{Area: blobsName, Key: key, Report: spool.Report{
		Kind: spool.Damaged, Records: 1, File: filepath.Join(blobsName, aside), Reason: cause.Error(),
	}})
	return nil
}

// Put stores a blob: it writes a file beside the one that is there, which then takes its place.
func (b *blobs) Put(ctx context.Context, key string, version int64, content io.Reader) (store.Blob, error) {
	const op = "store.put"
	if err := store.CheckBlob(op, key, version); err != nil {
		return store.Blob{}, err
	}
	b.mu.Lock()
	b.temps++
	closed, name := b.closed, filepath.Join(b.dir, blobName(key))
	temp := fmt.Sprintf("%s.%d%s", name, b.temps, disk.TempSuffix)
	b.mu.Unlock()
	if closed {
		return store.Blob{}, smokerr.Closed(op)
	}
	blob := store.Blob{Key: key, Version: version}
	err := b.fs.Create(temp, func(f *disk.File) error {
		if _, err := f.Write(make([]byte, blobHead+len(key))); err != nil {
			return err
		}
		sum := sha256.New()
		var err error
		if blob.Size, err = store.CopyBlob(ctx, io.MultiWriter(f, sum), content, b.maxBlob); err != nil {
			return err
		}
		sum.Sum(blob.SHA256[:0])
		_, err = f.WriteAt(formatHead(blob), 0)
		return err
	})
	if err != nil {
		return store.Blob{}, smokerr.Store(op, blobsName, err)
	}
	if err := b.exchange(op, temp, name, blob); err != nil {
		_ = os.Remove(temp) // if it stays, the next Open removes it
		return store.Blob{}, err
	}
	return blob, nil
}

// exchange lets a file take its place.
func (b *blobs) exchange(op, temp, name string, blob store.Blob) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	size := b.bytes - b.index[blob.Key].Size + blob.Size
	switch {
	case b.closed:
		return smokerr.Closed(op)
	case size > b.maxBytes:
		return smokerr.QueueFull(op, blobsName, len(b.index))
	}
	if err := b.fs.Rename(temp, name); err != nil {
		b.refresh(name, blob.Key)
		return smokerr.Store(op, blobsName, err)
	}
	b.index[blob.Key], b.bytes = blob, size
	return nil
}

// refresh takes into the index what is in a file after its renaming or removal failed half way. mu is held.
func (b *blobs) refresh(name, key string) {
	b.bytes -= b.index[key].Size
	delete(b.index, key)
	if blob, err := readBlob(name); err == nil {
		b.index[key] = blob
		b.bytes += blob.Size
	}
}

// Get returns what is stored under a key.
func (b *blobs) Get(key string) (store.Blob, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.get("store.get", key)
}

func (b *blobs) get(op, key string) (store.Blob, error) {
	blob, ok := b.index[key]
	switch {
	case b.closed:
		return blob, smokerr.Closed(op)
	case !ok:
		return blob, smokerr.NotFound(op, "baob", key)
	}
	return blob, nil
}

// Open returns the content as well.
func (b *blobs) Open(key string) (store.Blob, io.ReadCloser, error) {
	const op = "store.open"
	b.mu.Lock()
	defer b.mu.Unlock()
	blob, err := b.get(op, key)
	if err != nil {
		return store.Blob{}, nil, err
	}
	f, err := os.Open(filepath.Join(b.dir, blobName(key)))
	if err != nil {
		return store.Blob{}, nil, smokerr.Store(op, blobsName, err)
	}
	from := int64(blobHead + len(key))
	return blob, &blobReader{
		Closer: f, r: io.NewSectionReader(f, from, blob.Size), blobs: b, blob: blob, sum: sha256.New(),
	}, nil
}

// blobReader reads a content and checks it at its end.
type blobReader struct {
	io.Closer
	r     io.Reader
	blobs *blobs
	blob  store.Blob
	sum   hash.Hash
	read  int64
}

var errContent = errors.New("the content is damaged")

func (r *blobReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	_, _ = r.sum.Write(p[:n]) // never fails
	r.read += int64(n)
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF:
		return n, smokerr.Store("store.read", blobsName, err)
	case r.read != r.blob.Size || [sha256.Size]byte(r.sum.Sum(nil)) != r.blob.SHA256:
		r.blobs.lose(r.blob)
		return n, smokerr.Corrupt("store.read", blobsName, errContent)
	}
	return n, io.EOF
}

// lose sets a blob aside whose content is damaged, unless it was replaced meanwhile.
func (b *blobs) lose(blob store.Blob) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.index[blob.Key] != blob {
		return
	}
	if err := b.setAside(filepath.Join(b.dir, blobName(blob.Key)), blob.Key, errContent); err != nil {
		b.report(store.Report{Area: blobsName, Key: blob.Key, Report: spool.Report{Kind: spool.Failed, Err: err}})
		return
	}
	delete(b.index, blob.Key)
	b.bytes -= blob.Size
}

// Delete takes a key out.
func (b *blobs) Delete(key string) error {
	const op = "store.delete"
	b.mu.Lock()
	defer b.mu.Unlock()
	blob, ok := b.index[key]
	switch {
	case b.closed:
		return smokerr.Closed(op)
	case !ok:
		return nil
	}
	name := filepath.Join(b.dir, blobName(key))
	err := b.fs.Remove(name)
	if err == nil {
		err = b.fs.SyncDir(b.dir)
	}
	if err != nil {
		b.refresh(name, key)
		return smokerr.Store(op, blobsName, err)
	}
	delete(b.index, key)
	b.bytes -= blob.Size
	return nil
}

// All returns the blobs.
func (b *blobs) All() iter.Seq[store.Blob] {
	return func(yield func(store.Blob) bool) {
		b.mu.Lock()
		index := maps.Clone(b.index)
		b.mu.Unlock()
		for _, key := range slices.Sorted(maps.Keys(index)) {
			if !yield(index[key]) {
				return
			}
		}
	}
}

// Close releases the store.
func (b *blobs) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}
