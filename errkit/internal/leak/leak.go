// Package leak fails a test binary that leaves goroutines behind.
//
// It is errkit's own, since errkit requires no other module, its tests included:
//
//	func TestMain(m *testing.M) { leak.Main(m) }
package leak

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// grace is how long a goroutine that was told to stop may take to do so.
const grace = 3 * time.Second

// Main runs the tests and ends the process with their exit code. When they pass and a goroutine of theirs
// still runs three seconds later, it prints the stacks and the exit code is 1.
func Main(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if left := await(grace); len(left) > 0 {
			fmt.Fprintf(os.Stderr, "leak: %d goroutines left behind:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

// await returns the stacks of the goroutines that are still there when limit has passed, or nil as soon as
// there are none.
func await(limit time.Duration) []string {
	deadline := time.Now().Add(limit)
	for pause := time.Millisecond; ; pause *= 2 {
		left := strays(stacks())
		if len(left) == 0 || !time.Now().Before(deadline) {
			return left
		}
		time.Sleep(min(pause, time.Until(deadline)))
	}
}

// stacks returns the dump of all goroutines.
func stacks() string {
	for size := 64 << 10; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return string(buf[:n])
		}
	}
}

// strays picks from a dump the goroutines that a test or the code under test has started. A goroutine is
// judged by who created it: the first one has no creator, and those of the runtime, of package testing and
// of its signal handler are not the tests' to stop.
func strays(dump string) []string {
	var found []string
	for stack := range strings.SplitSeq(strings.TrimSpace(dump), "\n\n") {
		_, creator, ok := strings.Cut(stack, "\ncreated by ")
		if ok && !ours(creator) {
			found = append(found, stack)
		}
	}
	return found
}

func ours(creator string) bool {
	for _, prefix := range []string{"runtime.", "runtime/", "testing.", "internal/fuzz.", "os/signal."} {
		if strings.HasPrefix(creator, prefix) {
			return true
		}
	}
	return false
}
