// Package reparse computes pathpoints from others.
//
// The name of such a pathpoint is the letter r, the letter of its type, and an expression with the names of the others
// in braces: rW{W1r4002}+{W1r4003}. The expression is a small part of Python: numbers, text, True, False and None; unary
// + - ~ not; + - * / // % ** << >> & | ^; comparisons, also chained; and, or; a if c else b; parentheses; and calls of a
// fixed set of functions. It means what it means in Python. The expressions come from the hub: they are parsed here and
// nothing else, and their time, depth and memory are bounded.
//
// The functions are D(real, ref), d(real, ref), ked(real, ref), huba505(v), negz(x), mkflt(ho, lo), mkint32(ho, lo),
// pt1000(r), kty81(r), min, max, int, float, str and bool.
package reparse
