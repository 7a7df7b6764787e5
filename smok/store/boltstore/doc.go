// Package boltstore keeps state under keys in one file of a bbolt database, on devices that lose their power and on flash
// that forgets bits.
//
// bbolt alone is not made for that: it trusts its file. So each value here has a checksum, and all of them together one
// more; the file is read and checked before bbolt gets it; and a file that is damaged is set aside as *.corrupt-<time>,
// reported, and replaced by an empty one. It is for state that can be fetched again. A single damaged value is removed and
// reported alone.
package boltstore
