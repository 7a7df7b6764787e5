//go:build !js

package wsconn

import (
	"crypto/rand"
	"crypto/subtle"
)

// keySize is the length of a masking key (RFC 6455, section 5.3).
const keySize = 4

// pattern is a masking key, repeated: with it, many bytes are masked at once.
type pattern [256]byte

// apply masks src into dst, which must be as long.
func (m *pattern) apply(dst, src []byte) {
	m.repeat(len(src))
	for len(src) > 0 {
		n := subtle.XORBytes(dst, src, m[:])
		dst, src = dst[n:], src[n:]
	}
}

// repeat repeats the key as often as n bytes need it.
func (m *pattern) repeat(n int) {
	for have := keySize; have < min(n, len(m)); have *= 2 {
		copy(m[have:], m[:have])
	}
}

// keys supplies masking keys, each used once. They come from the system's random generator, many at a time.
type keys struct {
	random [128 * keySize]byte
	left   int
	mask   pattern
}

// next returns the next key, at the beginning of a pattern that is good until the call after this.
func (k *keys) next() *pattern {
	if k.left == 0 {
		rand.Read(k.random[:]) // never fails
		k.left = len(k.random)
	}
	k.left -= keySize
	copy(k.mask[:keySize], k.random[k.left:])
	clear(k.random[k.left : k.left+keySize])
	return &k.mask
}
