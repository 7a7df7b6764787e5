package main

import (
	"fmt"
	"strings"
)

// The records that both stores hold: those up to removed were taken out again.
const (
	records = 300
	removed = 30
)

// payload is what record id holds.
func payload(id int) string { return fmt.Sprintf("record %d %s", id, strings.Repeat(".", id*7%86)) }

// found collects what a damaged store gives.
type found struct {
	seen    map[int]bool
	told    map[int]bool // reported as lost
	excused bool         // records that were removed may come again: that was reported
	again   bool         // a record came again
	wrong   bool         // a record was changed or invented
	failed  bool         // reading ended with an error
}

func newFound() *found { return &found{seen: make(map[int]bool), told: make(map[int]bool)} }

func (f *found) record(id int, text string) {
	if id < 1 || id > records || text != payload(id) || f.seen[id] {
		f.wrong = true
		return
	}
	f.seen[id] = true
	f.again = f.again || id <= removed
}

// verdict weighs it all up, and says how many records are lost.
func (f *found) verdict() (v verdict, lost int) {
	silent := false
	for id := removed + 1; id <= records; id++ {
		if !f.seen[id] {
			lost++
			silent = silent || !f.told[id]
		}
	}
	switch {
	case f.wrong || f.again && !f.excused:
		return wrong, lost
	case silent && !f.failed:
		return gone, lost
	case lost > 0 || f.failed || f.again || f.excused || len(f.told) > 0:
		return reported, lost
	default:
		return harmless, lost
	}
}
