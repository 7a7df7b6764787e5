package leak

import (
	"runtime"
	"strings"
)

// foreign returns the stacks of the goroutines that neither the runtime nor package testing owns.
func foreign() []string {
	var found []string
	// The first stack is that of the caller.
	for _, stack := range stacks()[1:] {
		if !standard(stack) {
			found = append(found, stack)
		}
	}
	return found
}

// stacks returns the stack of every goroutine, the caller's first.
func stacks() []string {
	buf := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			return strings.Split(strings.TrimSpace(string(buf[:n])), "\n\n")
		}
		buf = make([]byte, 2*len(buf))
	}
}

// standard reports whether a goroutine belongs to the machinery under every test binary. The function that it was
// started with decides: a goroutine that merely waits inside the standard library belongs to whoever started it.
func standard(stack string) bool {
	entry := entry(stack)
	for _, owner := range []string{
		"testing.",         // test runners, the alarm, the fuzzing coordinator
		"internal/fuzz.",   // fuzzing workers
		"os/signal.loop",   // signal.Notify, never ends once begun
		"runtime.",         // helpers that show up under some GODEBUG and tracing settings
		"runtime/trace.",   // -trace
		"runtime/pprof.",   // -cpuprofile
		"runtime/coverage", // -cover
		"main.main",
	} {
		if strings.HasPrefix(entry, owner) {
			return true
		}
	}
	return false
}

// entry returns the function at the bottom of a stack, the one that the go statement named.
func entry(stack string) string {
	lines := strings.Split(stack, "\n")
	last := ""
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, "\t") {
			continue // file and line of the function before
		}
		if strings.HasPrefix(line, "created by ") {
			break
		}
		last = line
	}
	return last
}
