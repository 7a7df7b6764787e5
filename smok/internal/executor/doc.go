// Package executor carries out sections of orders.
//
// Sections wait in four lanes, one for each sort of owner, and higher lanes go first. Sections that can be joined run
// together, up to 256 orders of a lane at once; one that cannot runs alone, in all lanes. Orders for different pathpoints
// run side by side, those for one pathpoint one after the other, of a lane in the order of their list. An order that is
// tried again holds its pathpoint meanwhile and nothing else.
//
// The executor knows pathpoints through [Target] alone. It calls functions of the program without a lock, with a time
// limit, and survives their panics. It has no goroutine while it has nothing to do.
package executor
