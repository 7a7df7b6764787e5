package main

import "slices"

// numbers is a set of numbers, a bit for each.
type numbers struct{ bits []uint64 }

// add reports whether n is new.
func (s *numbers) add(n uint64) bool {
	if need := int(n/64) + 1; need > len(s.bits) {
		s.bits = append(s.bits, make([]uint64, need-len(s.bits))...)
	}
	word, bit := &s.bits[n/64], uint64(1)<<(n%64)
	isNew := *word&bit == 0
	*word |= bit
	return isNew
}

func (s *numbers) has(n uint64) bool {
	return n/64 < uint64(len(s.bits)) && s.bits[n/64]&(1<<(n%64)) != 0
}

func (s *numbers) clone() numbers { return numbers{slices.Clone(s.bits)} }
