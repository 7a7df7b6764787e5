// Command benchpeers runs the manager of wsclient and wsconn beside other WebSocket libraries, spool and the store of a smok
// device beside bbolt and a bare file, and minijson beside encoding/json and msgpack, in one process and on the same work,
// and prints ratios. Absolute numbers say little on a shared machine; those of one run, taken in turns, can be compared.
// GOEXPERIMENT=jsonv2 adds encoding/json/v2. Last come figures of the manager with limits of their own: memory, goroutines,
// outages.
//
//	go run ./internal/e2e/benchpeers [-rounds 5] [-only text] [-strict]
//
// The peer at the other end is the same for all: a plain TCP program that takes, sends or echoes ready-made frames.
// Everything runs on the loopback device. What is durable is written in the directory for temporary files (TMPDIR), which
// should be on a disk and not in memory.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
)

func main() {
	rounds := flag.Int("rounds", 5, "rounds per row; the median counts")
	only := flag.String("only", "", "do the rows whose name contains this")
	strict := flag.Bool("strict", false, "exit with 1 if a target is missed")
	flag.Parse()
	fmt.Printf("%s %s/%s, %d processors, median of %d alternating rounds\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), *rounds)
	ok, err := run(os.Stdout, *rounds, *only)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "benchpeers:", err)
		os.Exit(2)
	case !ok && *strict:
		os.Exit(1)
	}
}
