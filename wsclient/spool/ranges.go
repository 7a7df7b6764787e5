package spool

import "slices"

// span is a run of record numbers, both ends included.
type span struct{ first, last uint64 }

func (s span) count() uint64 { return s.last - s.first + 1 }

// spans is a set of record numbers as ascending runs that do not touch.
type spans []span

// has reports whether seq is in the set, and the last number of its run.
func (s spans) has(seq uint64) (last uint64, ok bool) {
	i := s.search(seq)
	if i == len(s) || s[i].first > seq {
		return 0, false
	}
	return s[i].last, true
}

// search returns the index of the first run that ends at seq or behind it.
func (s spans) search(seq uint64) int {
	i, _ := slices.BinarySearchFunc(s, seq, func(r span, seq uint64) int {
		if r.last < seq {
			return -1
		}
		return 1
	})
	return i
}

// count returns how many numbers from first to last are in the set.
func (s spans) count(first, last uint64) (n uint64) {
	for i := s.search(first); i < len(s) && s[i].first <= last; i++ {
		n += span{max(first, s[i].first), min(last, s[i].last)}.count()
	}
	return n
}

// add puts r into the set.
func (s spans) add(r span) spans {
	i := s.search(r.first)
	if i > 0 && s[i-1].last+1 == r.first {
		i--
	}
	j := i
	for ; j < len(s) && s[j].first <= r.last+1; j++ {
		r.first, r.last = min(r.first, s[j].first), max(r.last, s[j].last)
	}
	return slices.Replace(s, i, j, r)
}

// from returns the set without the numbers below first.
func (s spans) from(first uint64) spans {
	s = s[s.search(first):]
	if len(s) > 0 && s[0].first < first {
		s[0].first = first
	}
	return s
}
