// Package leak fails a test binary, or one test, that leaves goroutines behind.
//
// Every package of this repository has
//
//	func TestMain(m *testing.M) { leak.Main(m) }
//
// so that a client whose Close returns before its goroutines do is found by the first test that uses it. [Check]
// narrows the search to one test, also among parallel ones.
//
// Both wait for goroutines that are about to end, also on a machine that stalls, and both print the stacks of those that
// do not end.
package leak

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// grace is how long a goroutine may take to end after the test that started it.
var grace = 30 * time.Second

// Main runs the tests of m. If they pass and goroutines other than those of the runtime and of package testing
// remain, it prints their stacks and exits with status 1. Otherwise the binary exits as the tests decided:
// a failed test often leaves its goroutines, and says more than they do.
func Main(m *testing.M) {
	code := m.Run()
	if code != 0 {
		os.Exit(code)
	}
	if left := settle(foreign); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "leak: %d goroutines left after all tests:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
		os.Exit(1)
	}
}

// settle polls until find returns nothing or the grace period is over, and returns what find found last.
func settle(find func() []string) []string {
	deadline := time.Now().Add(grace)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		left := find()
		if len(left) == 0 || !time.Now().Before(deadline) {
			return left
		}
		time.Sleep(pause)
	}
}
