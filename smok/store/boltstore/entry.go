package boltstore

import (
	"encoding/binary"
	"hash/fnv"
	"strings"
)

// An entry of the bucket has the key area, zero byte, key, and the value checksum, value. The checksum is the 64-bit FNV-1a
// hash of the whole key and the value: it finds every change of one byte.
//
// One more entry, whose key no area can have, has the totals: their version, how many entries there are, their bytes, and
// the sum of their checksums. They change with the entries, so that an entry that is missing or that came back shows.

const checksumSize = 8

func checksum(key, value []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(key) // never fails
	_, _ = h.Write(value)
	return h.Sum64()
}

func entryKey(area, key string) []byte {
	return append(append(append(make([]byte, 0, len(area)+1+len(key)), area...), 0), key...)
}

// splitKey is the reverse of entryKey.
func splitKey(b []byte) (area, key string) {
	area, key, _ = strings.Cut(string(b), "\x00")
	return area, key
}

func seal(key, value []byte) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, checksumSize+len(value)), checksum(key, value))
	return append(b, value...)
}

// unseal returns the value that seal was given, and whether it is sound.
func unseal(key, stored []byte) ([]byte, bool) {
	if len(stored) < checksumSize {
		return nil, false
	}
	value := stored[checksumSize:]
	return value, binary.BigEndian.Uint64(stored) == checksum(key, value)
}

// storedSum returns the checksum that an entry says it has.
func storedSum(stored []byte) uint64 {
	if len(stored) < checksumSize {
		return 0
	}
	return binary.BigEndian.Uint64(stored)
}

// totals are what the entries come to.
type totals struct {
	count, bytes, sum uint64
}

const (
	totalsVersion = 1
	totalsSize    = 1 + 3*8
)

var totalsKey = []byte{0}

func (t *totals) add(key, stored []byte) {
	t.count++
	t.bytes += uint64(len(key) + len(stored))
	t.sum += storedSum(stored)
}

func (t *totals) sub(key, stored []byte) {
	t.count--
	t.bytes -= uint64(len(key) + len(stored))
	t.sum -= storedSum(stored)
}

func (t *totals) seal() []byte {
	b := append(make([]byte, 0, totalsSize), totalsVersion)
	for _, n := range []uint64{t.count, t.bytes, t.sum} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return seal(totalsKey, b)
}

// unsealTotals returns the totals and their version. They are sound only if ok.
func unsealTotals(stored []byte) (t totals, version int, ok bool) {
	b, ok := unseal(totalsKey, stored)
	if !ok || len(b) < 1 {
		return t, 0, false
	}
	if version = int(b[0]); version != totalsVersion {
		return t, version, true
	}
	if len(b) != totalsSize {
		return t, version, false
	}
	b = b[1:]
	return totals{
		count: binary.BigEndian.Uint64(b), bytes: binary.BigEndian.Uint64(b[8:]), sum: binary.BigEndian.Uint64(b[16:]),
	}, version, true
}
