package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"
)

// holding is what the process holds at a moment.
type holding struct {
	goroutines int
	heap       uint64 // bytes, after a collection
	objects    uint64
	files      int // open file handles; 0 where the system does not tell
}

func (h holding) String() string {
	return fmt.Sprintf("%4d goroutines, %5.1f MiB in %6d objects, %3d file handles",
		h.goroutines, float64(h.heap)/(1<<20), h.objects, h.files)
}

// warmUp lets the runtime open what it keeps for the network.
func warmUp() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return l.Close()
}

func measure() holding {
	runtime.GC()
	runtime.GC() // what had a finalizer goes with the second one
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	h := holding{goroutines: runtime.NumGoroutine(), heap: mem.HeapAlloc, objects: mem.HeapObjects}
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		h.files = len(entries)
	}
	return h
}

// settled measures until no more is held than before, for a few seconds at most: goroutines that were told to end need
// a moment.
func settled(before holding) holding {
	deadline := time.Now().Add(5 * time.Second)
	for {
		h := measure()
		if leftBehind(before, h) == nil || time.Now().After(deadline) {
			return h
		}
		pause(context.Background(), 40, 60)
	}
}

// leftBehind compares the beginning with the end.
func leftBehind(before, after holding) error {
	switch {
	case after.goroutines > before.goroutines:
		return fmt.Errorf("%d goroutines are left behind", after.goroutines-before.goroutines)
	case after.files > before.files:
		return fmt.Errorf("%d file handles are left behind", after.files-before.files)
	case after.heap > before.heap+4<<20:
		return fmt.Errorf("%d bytes are left behind", after.heap-before.heap)
	}
	return nil
}

// growth compares the halves of a run. How much is held at a moment depends on what the weather has just done, so it
// is the most of each half that counts.
func growth(held []holding) error {
	first, second := most(held[:len(held)/2]), most(held[len(held)/2:])
	switch {
	case second.goroutines > first.goroutines+first.goroutines/4+16:
		return fmt.Errorf("goroutines grow from %d to %d", first.goroutines, second.goroutines)
	case second.files > first.files+first.files/4+8:
		return fmt.Errorf("file handles grow from %d to %d", first.files, second.files)
	case second.heap > first.heap+first.heap/4+4<<20:
		return fmt.Errorf("the heap grows from %d to %d bytes", first.heap, second.heap)
	case second.objects > first.objects+first.objects/4+20_000:
		return fmt.Errorf("the heap grows from %d to %d objects", first.objects, second.objects)
	}
	return nil
}

func most(held []holding) (m holding) {
	for _, h := range held {
		m.goroutines, m.files = max(m.goroutines, h.goroutines), max(m.files, h.files)
		m.heap, m.objects = max(m.heap, h.heap), max(m.objects, h.objects)
	}
	return m
}
