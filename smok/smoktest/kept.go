package smoktest

import "slices"

// kept is a list with a bound: the oldest entries go first, some at a time.
type kept[T any] struct{ items []T }

// add appends an entry and returns those that had to go.
func (k *kept[T]) add(item T, bound int) []T {
	var gone []T
	if len(k.items) >= bound {
		n := max(bound/8, 1)
		gone = slices.Clone(k.items[:n])
		k.items = slices.Delete(k.items, 0, n)
	}
	k.items = append(k.items, item)
	return gone
}

func (k *kept[T]) snapshot() []T { return slices.Clone(k.items) }
