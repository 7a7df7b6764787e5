// Package pages reads the file of a bbolt database without bbolt, and says whether everything in it is in order. bbolt
// trusts its file: of a damaged one it can end the process, run without end, or give what was never stored. What this
// package found sound, it can be trusted with.
//
// The format is that of bbolt 1.4 (file format version 2): pages of a fixed size, the first two of them with alternating
// heads, then trees of branch and leaf pages, and one list of free pages. Numbers are in the machine's byte order.
package pages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// The parts of the format.
const (
	magic   = 0xED0CDAED
	version = 2

	pageHead    = 16
	elementHead = 16
	metaSize    = 64 // with its checksum
	bucketHead  = 16

	flagBranch = 0x01
	flagLeaf   = 0x02
	flagFree   = 0x10

	leafBucket = 0x01

	manyFree = 0xFFFF // the count of a list of free pages whose count is in front of it

	firstPage = 2  // behind the two heads
	maxDepth  = 32 // of a tree; bbolt's have at least two children per branch
	maxPage   = 64 << 10
	minPage   = 512
)

// ErrDamaged is matched by every error about the contents of a file.
var ErrDamaged = errors.New("damaged")

func damaged(format string, a ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, a...)...)
}

// Head says what the heads of a file are like.
type Head struct {
	// Lost says that one of the two heads is damaged. If it was the newer one, the last transaction is missing. A power
	// cut does not do that: a head lies within one sector.
	Lost bool
}

type meta struct {
	pageSize uint32
	root     uint64
	free     uint64
	high     uint64 // number of pages
	txid     uint64
}

func parseMeta(b []byte) (m meta, ok bool) {
	if len(b) < pageHead+metaSize {
		return m, false
	}
	b = b[pageHead:]
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSize-8]) // never fails
	if native.Uint64(b[metaSize-8:]) != sum.Sum64() || native.Uint32(b) != magic || native.Uint32(b[4:]) != version {
		return m, false
	}
	m = meta{
		pageSize: native.Uint32(b[8:]), root: native.Uint64(b[16:]),
		free: native.Uint64(b[32:]), high: native.Uint64(b[40:]), txid: native.Uint64(b[48:]),
	}
	return m, m.pageSize >= minPage && m.pageSize <= maxPage && m.pageSize&(m.pageSize-1) == 0
}

var native = binary.NativeEndian

// Walk reads the file, of size bytes and with pages of pageSize bytes, and calls visit with the entries of its one bucket,
// named bucket, by ascending keys. The slices are visit's own. An error of visit ends it. Damage is an error that matches
// [ErrDamaged], and may come after visits.
func Walk(r io.ReaderAt, size int64, pageSize int, bucket string, visit func(key, value []byte) error) (Head, error) {
	heads := make([]byte, 2*pageSize)
	if n, err := r.ReadAt(heads, 0); err != nil && !errors.Is(err, io.EOF) {
		return Head{}, err
	} else if n < len(heads) {
		return Head{}, damaged("a file of %d bytes", size)
	}
	m0, ok0 := parseMeta(heads[:pageSize])
	m1, ok1 := parseMeta(heads[pageSize:])
	m := m0
	if !ok0 || ok1 && m1.txid > m0.txid {
		m = m1
	}
	w := walker{r: r, size: int64(pageSize), visit: visit, bucket: bucket}
	switch {
	case !ok0 && !ok1:
		return Head{}, damaged("no sound head")
	case int(m.pageSize) != pageSize:
		return Head{}, damaged("pages of %d bytes", m.pageSize)
	case m.high < firstPage || m.high > uint64(size/w.size):
		return Head{}, damaged("%d pages in %d bytes", m.high, size)
	}
	w.used = make([]bool, m.high)
	w.used[0], w.used[1] = true, true
	head := Head{Lost: !ok0 || !ok1}
	if err := w.tree(m.root, bounds{}, 0, w.top); err != nil {
		return head, err
	}
	if !w.found {
		return head, damaged("no bucket %q", bucket)
	}
	return head, w.free(m.free)
}

// walker goes through the trees.
type walker struct {
	r      io.ReaderAt
	size   int64 // of a page
	used   []bool
	visit  func(key, value []byte) error
	bucket string
	found  bool
}

// bounds are those of the keys in a part of a tree: from low on, below high. Nil is no bound.
type bounds struct{ low, high []byte }

// page reads a page with those that continue it.
func (w *walker) page(id uint64) (b []byte, flags uint16, count int, err error) {
	if id < firstPage || id >= uint64(len(w.used)) {
		return nil, 0, 0, damaged("page %d of %d", id, len(w.used))
	}
	head := make([]byte, pageHead)
	if _, err := w.r.ReadAt(head, int64(id)*w.size); err != nil {
		return nil, 0, 0, readError(err)
	}
	flags, count = native.Uint16(head[8:]), int(native.Uint16(head[10:]))
	more := uint64(native.Uint32(head[12:]))
	if native.Uint64(head) != id || more >= uint64(len(w.used))-id {
		return nil, 0, 0, damaged("head of page %d", id)
	}
	for i := id; i <= id+more; i++ {
		if w.used[i] {
			return nil, 0, 0, damaged("page %d is used twice", i)
		}
		w.used[i] = true
	}
	b = make([]byte, (int64(more)+1)*w.size)
	if _, err := w.r.ReadAt(b, int64(id)*w.size); err != nil {
		return nil, 0, 0, readError(err)
	}
	return b, flags, count, nil
}

// readError takes the end of the file within a page for damage.
func readError(err error) error {
	if errors.Is(err, io.EOF) {
		return damaged("the file ends within a page")
	}
	return err
}

// tree goes through a tree and hands the elements of its leaves to leaf.
func (w *walker) tree(id uint64, in bounds, depth int, leaf func(flags uint32, key, value []byte) error) error {
	if depth > maxDepth {
		return damaged("a tree of more than %d levels", maxDepth)
	}
	b, flags, count, err := w.page(id)
	if err != nil {
		return err
	}
	switch flags {
	case flagLeaf:
		return leaves(b, count, in, leaf)
	case flagBranch:
		return w.branch(b, count, in, depth, leaf)
	default:
		return damaged("page %d has flags %#x", id, flags)
	}
}

func (w *walker) branch(b []byte, count int, in bounds, depth int, leaf func(uint32, []byte, []byte) error) error {
	if count == 0 {
		return damaged("an empty branch")
	}
	keys, children := make([][]byte, count), make([]uint64, count)
	for i := range count {
		at := pageHead + i*elementHead
		if at+elementHead > len(b) {
			return damaged("a branch of %d", count)
		}
		e := b[at:]
		key, ok := part(b, at, native.Uint32(e), uint64(native.Uint32(e[4:])))
		if !ok || i > 0 && bytes.Compare(keys[i-1], key) >= 0 || !in.hold(key) {
			return damaged("the keys of a branch")
		}
		keys[i], children[i] = key, native.Uint64(e[8:])
	}
	for i, child := range children {
		within := bounds{low: in.low, high: in.high}
		if i > 0 {
			within.low = keys[i]
		}
		if i+1 < count {
			within.high = keys[i+1]
		}
		if err := w.tree(child, within, depth+1, leaf); err != nil {
			return err
		}
	}
	return nil
}

// leaves goes through the elements of a leaf.
func leaves(b []byte, count int, in bounds, leaf func(flags uint32, key, value []byte) error) error {
	var last []byte
	for i := range count {
		at := pageHead + i*elementHead
		if at+elementHead > len(b) {
			return damaged("a leaf of %d", count)
		}
		e := b[at:]
		flags, pos, keySize := native.Uint32(e), native.Uint32(e[4:]), uint64(native.Uint32(e[8:]))
		both, ok := part(b, at, pos, keySize+uint64(native.Uint32(e[12:])))
		if !ok || keySize == 0 {
			return damaged("an element of a leaf")
		}
		key, value := both[:keySize:keySize], both[keySize:]
		if i > 0 && bytes.Compare(last, key) >= 0 || !in.hold(key) {
			return damaged("the keys of a leaf")
		}
		last = key
		if err := leaf(flags, key, value); err != nil {
			return err
		}
	}
	return nil
}

// part returns size bytes at pos behind the element at.
func part(b []byte, at int, pos uint32, size uint64) ([]byte, bool) {
	from := uint64(at) + uint64(pos)
	if pos < elementHead || from > uint64(len(b)) || size > uint64(len(b))-from {
		return nil, false
	}
	return b[from : from+size : from+size], true
}

func (in bounds) hold(key []byte) bool {
	return bytes.Compare(key, in.low) >= 0 && (in.high == nil || bytes.Compare(key, in.high) < 0)
}

// top takes an element of the top tree: the bucket.
func (w *walker) top(flags uint32, key, value []byte) error {
	if flags != leafBucket || string(key) != w.bucket || len(value) < bucketHead {
		return damaged("something else than the bucket")
	}
	w.found = true
	if root := native.Uint64(value); root != 0 {
		return w.tree(root, bounds{}, 0, w.entry)
	}
	// A small bucket is a page within the element.
	inline := value[bucketHead:]
	if len(inline) < pageHead || native.Uint16(inline[8:]) != flagLeaf {
		return damaged("the page of a small bucket")
	}
	return leaves(inline, int(native.Uint16(inline[10:])), bounds{}, w.entry)
}

func (w *walker) entry(flags uint32, key, value []byte) error {
	if flags != 0 {
		return damaged("flags %#x of an entry", flags)
	}
	return w.visit(key, value)
}

// free checks the list of free pages: together with the trees they are all that there are.
func (w *walker) free(id uint64) error {
	b, flags, count, err := w.page(id)
	if err != nil {
		return err
	}
	if flags != flagFree {
		return damaged("the list of free pages has flags %#x", flags)
	}
	b = b[pageHead:]
	n := uint64(count)
	if count == manyFree {
		n, b = native.Uint64(b), b[8:]
	}
	if n > uint64(len(b)/8) {
		return damaged("%d free pages in a list of %d bytes", n, len(b))
	}
	for ; n > 0; n, b = n-1, b[8:] {
		id := native.Uint64(b)
		if id < firstPage || id >= uint64(len(w.used)) || w.used[id] {
			return damaged("page %d is not free", id)
		}
		w.used[id] = true
	}
	for id, used := range w.used {
		if !used {
			return damaged("page %d is lost", id)
		}
	}
	return nil
}
