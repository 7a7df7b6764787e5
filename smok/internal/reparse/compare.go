package reparse

import (
	"cmp"
	"math"
	"math/big"
	"strings"
)

type relation uint8

const (
	less relation = iota
	lessEqual
	greater
	greaterEqual
	equal
	notEqual
)

// holds reports whether a stands in the relation to b. Values of different sorts are not equal and in no order.
func (r relation) holds(a, b Value) (bool, error) {
	order, ordered, comparable := compare(a, b)
	if !comparable {
		switch r {
		case equal, notEqual:
			same := a.kind == none && b.kind == none
			return same == (r == equal), nil
		}
		return false, errTypes
	}
	if !ordered {
		return r == notEqual, nil
	}
	switch r {
	case less:
		return order < 0, nil
	case lessEqual:
		return order <= 0, nil
	case greater:
		return order > 0, nil
	case greaterEqual:
		return order >= 0, nil
	case equal:
		return order == 0, nil
	}
	return order != 0, nil
}

// compare compares numbers with numbers, exactly, and text with text. NaN is in no order with anything.
func compare(a, b Value) (order int, ordered, comparable bool) {
	switch {
	case a.kind == str && b.kind == str:
		return strings.Compare(a.s, b.s), true, true
	case !a.isNumber() || !b.isNumber():
		return 0, false, false
	case a.small() && b.small():
		return cmp.Compare(a.n, b.n), true, true
	case a.isInt() && b.isInt():
		return a.big().Cmp(b.big()), true, true
	case a.kind == float && b.kind == float:
		return cmp.Compare(a.f, b.f), !math.IsNaN(a.f) && !math.IsNaN(b.f), true
	case a.kind == float:
		order, ordered = compareFloat(b, a.f)
		return -order, ordered, true
	}
	order, ordered = compareFloat(a, b.f)
	return order, ordered, true
}

// compareFloat compares an integer with a float.
func compareFloat(n Value, f float64) (order int, ordered bool) {
	switch {
	case math.IsNaN(f):
		return 0, false
	case math.IsInf(f, 1):
		return -1, true
	case math.IsInf(f, -1):
		return 1, true
	case n.small() && -1<<53 <= n.n && n.n <= 1<<53:
		return cmp.Compare(float64(n.n), f), true
	}
	return new(big.Float).SetInt(n.big()).Cmp(big.NewFloat(f)), true
}
