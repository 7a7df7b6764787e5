// Command bitrot damages the files of spool, of boltstore and of bbolt, which hold the same records, and prints what becomes
// of the records: one bit flipped anywhere, or a file cut off anywhere.
//
//	go run ./internal/e2e/bitrot [-flips 10000] [-cuts 1000] [-seed 1]
//
// Each damaged copy is opened and read in another process, since damage can end it. It exits with 1 if spool or
// boltstore lost, changed or invented a record without a word, did not open, or died.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if store, ok := childStore(); ok {
		judgeAll(store, os.Stdin, os.Stdout)
		return
	}
	flips := flag.Int("flips", 10_000, "single bits to flip")
	cuts := flag.Int("cuts", 1000, "truncations")
	seed := flag.Uint64("seed", 1, "of the places")
	flag.Parse()
	ok := true
	for _, d := range []damage{{"single-bit flips", *flips, flip}, {"truncations", *cuts, cut}} {
		tallies, err := compare(d, *seed)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bitrot:", err)
			os.Exit(2)
		}
		printTable(os.Stdout, d, tallies)
		ok = ok && tallies["spool"].clean() && tallies["boltstore"].clean()
	}
	if !ok {
		os.Exit(1)
	}
}
