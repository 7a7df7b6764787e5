package main

import (
	"fmt"
	"io"
)

// verdict is what became of a damaged store.
type verdict int

const (
	harmless verdict = iota // all records are there
	reported                // what is missing was reported, as records or by a read that failed
	wrong                   // a record was changed or invented, or came again, without a word
	gone                    // records are missing without a word
	died                    // the process that opened or read it ended, or hung
	unopened                // it does not open: everything in it is lost
	verdicts
)

var columns = [verdicts]string{
	"no effect", "reported", "silently wrong", "silently missing", "process death", "does not open",
}

// tally counts verdicts, and the records that were lost in all.
type tally struct {
	verdicts [verdicts]int
	lost     int
}

// clean reports whether nothing happened that a log may not do.
func (t tally) clean() bool {
	v := t.verdicts
	return v[wrong] == 0 && v[gone] == 0 && v[died] == 0 && v[unopened] == 0
}

func printTable(w io.Writer, d damage, tallies map[string]tally) {
	fmt.Fprintf(w, "%d %s, %d records\n%10s", d.n, d.name, records-removed, "")
	for _, c := range columns {
		fmt.Fprintf(w, "  %16s", c)
	}
	fmt.Fprintf(w, "  %16s", "records lost")
	for _, s := range stores {
		fmt.Fprintf(w, "\n%10s", s.name)
		t := tallies[s.name]
		for _, n := range t.verdicts {
			fmt.Fprintf(w, "  %8d (%4.1f%%)", n, 100*float64(n)/float64(max(1, d.n)))
		}
		fmt.Fprintf(w, "  %16d", t.lost)
	}
	fmt.Fprint(w, "\n\n")
}
