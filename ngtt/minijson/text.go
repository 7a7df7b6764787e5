package minijson

import (
	"strings"
	"unicode/utf8"
)

// Sizes in bytes. A string that is kept keeps at most a chunk in memory.
const (
	chunk     = 1024
	maxShared = 128 // longest string that shares a chunk with others
	maxCached = 32  // longest key that is kept for the next document
)

// slab makes strings, many short ones with one allocation.
type slab struct{ b strings.Builder }

func (s *slab) make(p []byte) string {
	if len(p) == 0 {
		return ""
	}
	if len(p) > maxShared {
		return string(p)
	}
	if s.b.Cap()-s.b.Len() < len(p) {
		s.b.Reset() // the strings made so far keep the old chunk
		s.b.Grow(chunk)
	}
	begin := s.b.Len()
	s.b.Write(p)
	return s.b.String()[begin:]
}

// keyCache holds keys that were met before: documents have few different ones, and those again and again.
type keyCache [256]string

// find returns the key p if it was met lately, and its place in the cache.
func (c *keyCache) find(p []byte) (s string, place *string) {
	if len(p) == 0 || len(p) > maxCached {
		return "", nil
	}
	h := uint(len(p))*31 + uint(p[0])*7 + uint(p[len(p)/2])*17 + uint(p[len(p)-1])
	place = &c[h%uint(len(c))]
	if *place == string(p) {
		return *place, place
	}
	return "", place
}

// validBytes is utf8.Valid, faster for what most text is: ASCII.
func validBytes(p []byte) bool { return isASCII(p) || utf8.Valid(p) }

func isASCII[T string | []byte](s T) bool {
	const high = 0x8080808080808080
	var all uint64 // the bits of all bytes
	switch n := len(s); {
	case n >= 8:
		for i := 0; i < n-8; i += 8 {
			all |= word(s[i:])
		}
		all |= word(s[n-8:])
	default:
		for i := range n {
			all |= uint64(s[i])
		}
	}
	return all&high == 0
}

// word returns 8 bytes, with one load.
func word[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
