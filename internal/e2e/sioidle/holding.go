package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"time"
)

// holding is what the process holds, in bytes.
type holding struct {
	resident, heap, stacks int64
	goroutines             int
}

func measure() holding {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return holding{resident(), int64(m.HeapAlloc), int64(m.StackInuse), runtime.NumGoroutine()}
}

// settled measures when the goroutines that are about to end have done so.
func settled(before holding) holding {
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before.goroutines && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	return measure()
}

// resident returns what the kernel counts, 0 where it does not tell.
func resident() (size int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	_, _ = fmt.Sscan(string(rest), &size) // 0 if there is no such line
	return size << 10
}
