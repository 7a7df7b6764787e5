//go:build unix

package pikvm_test

import (
	"syscall"
	"time"
)

// cpuTime returns the time that the process has computed, here and in the kernel, which other programs do not change
// much.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
