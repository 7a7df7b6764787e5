package wsclient_test

import (
	"flag"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
)

// full makes tests run in the size that their rows ask for; without it they are smaller.
var full = flag.Bool("full", false, "run the long versions of tests")

// size returns how much of something a test takes: usually, under the race detector, and with -full.
func size(usual, raced, whole int) int {
	switch {
	case *full:
		return whole
	case racing:
		return raced
	}
	return usual
}

func TestMain(m *testing.M) {
	if runChild() || runSleeper() {
		return
	}
	leak.Main(m)
}
