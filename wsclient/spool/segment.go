package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// A segment file starts with two equal headers in two sectors, so that no single fault takes both:
//
//	 0  8  "flspool1"
//	 8  8  salt, random: frames of another file, found in a recycled block, do not fit
//	16  8  number of the first record
//	24  4  zero
//	28  4  CRC-32C of what is before
//
// The number of the first record also cuts the segment before: what that one holds from there on does not count.
const (
	headerSize = 32
	secondCopy = 512
	dataStart  = secondCopy + headerSize
	segSuffix  = ".seg"
	seqDigits  = 20
)

const magic = "flspool1"

// indexStep is the distance of the places that a segment's index remembers, in bytes.
const indexStep = 64 << 10

// segment is what the log knows of one file.
type segment struct {
	name  string // path
	base  uint64 // number of the first record
	seed  uint32 // checksum of the salt, from which the checksums of the frames go on
	end   int64  // end of what readers may see
	index []place
}

// place is where a frame starts.
type place struct {
	seq uint64 // number that is expected there
	off int64
}

func segName(base uint64) string {
	s := strconv.FormatUint(base, 10)
	return strings.Repeat("0", seqDigits-len(s)) + s + segSuffix
}

// parseSegName returns the number in the name of a segment file.
func parseSegName(name string) (base uint64, ok bool) {
	digits, ok := strings.CutSuffix(name, segSuffix)
	if !ok || len(digits) != seqDigits {
		return 0, false
	}
	base, err := strconv.ParseUint(digits, 10, 64)
	return base, err == nil && base > 0
}

// newHeader encodes the start of a segment file.
func newHeader(base, salt uint64) []byte {
	h := make([]byte, dataStart)
	copy(h, magic)
	binary.LittleEndian.PutUint64(h[8:], salt)
	binary.LittleEndian.PutUint64(h[16:], base)
	binary.LittleEndian.PutUint32(h[28:], crc32.Checksum(h[:28], castagnoli))
	copy(h[secondCopy:], h[:headerSize])
	return h
}

// headerState says how sound the start of a segment file is.
type headerState int

const (
	headerGood    headerState = iota
	headerScarred             // one copy is good, or the bytes between are not zero
	headerBad
)

// parseHeader checks the start of the segment file of base and returns its seed. b may be shorter than a header.
func parseHeader(b []byte, base uint64) (seed uint32, state headerState) {
	if len(b) > dataStart {
		b = b[:dataStart]
	}
	good := newHeaderOf(b, 0, base)
	if good == nil {
		good = newHeaderOf(b, secondCopy, base)
	}
	if good == nil {
		return 0, headerBad
	}
	seed = crc32.Checksum(good[8:16], castagnoli)
	if !bytes.Equal(b, good) {
		return seed, headerScarred
	}
	return seed, headerGood
}

// newHeaderOf returns the whole header that the copy at off of b stands for, nil if that copy is damaged.
func newHeaderOf(b []byte, off int, base uint64) []byte {
	if len(b) < off+headerSize {
		return nil
	}
	salt := binary.LittleEndian.Uint64(b[off+8:])
	h := newHeader(base, salt)
	if !bytes.Equal(h[:headerSize], b[off:off+headerSize]) {
		return nil
	}
	return h
}

// note adds a place to the index if it is far enough behind the last one.
func (g *segment) note(seq uint64, off int64) {
	if n := len(g.index); n == 0 || off >= g.index[n-1].off+indexStep {
		g.index = append(g.index, place{seq: seq, off: off})
	}
}

// find returns the last known place that is not behind seq.
func (g *segment) find(seq uint64) place {
	i := sort.Search(len(g.index), func(i int) bool { return g.index[i].seq > seq })
	if i == 0 {
		return place{seq: g.base, off: dataStart}
	}
	return g.index[i-1]
}

func (g *segment) file() string { return filepath.Base(g.name) }
