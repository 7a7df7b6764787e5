// Package value has what every part of a SMOK device agrees on about pathpoints: the names and their types, the values
// that a type holds, how other values become such, how long the hub keeps them, and the reading.
//
// A value is an any that holds exactly a bool (type B), an int64 (W and w), a float64 (f, rounded to binary32, and d) or
// a string (u).
package value
