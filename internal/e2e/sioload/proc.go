package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// self stands for this process.
const self = -1

func procDir(pid int) string {
	if pid == self {
		return "/proc/self"
	}
	return "/proc/" + strconv.Itoa(pid)
}

// processorTime returns the time that the threads of a process have had a processor. Linux counts it in nanoseconds in
// /proc/<pid>/task/<tid>/schedstat. For process 0 it is 0.
func processorTime(pid int) (time.Duration, error) {
	if pid == 0 {
		return 0, nil
	}
	names, err := filepath.Glob(procDir(pid) + "/task/*/schedstat")
	if err != nil {
		return 0, err
	}
	if len(names) == 0 {
		return 0, fmt.Errorf("process %d has no threads", pid)
	}
	var sum time.Duration
	for _, name := range names {
		line, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		first, _, _ := bytes.Cut(line, []byte(" "))
		ns, err := strconv.ParseInt(string(first), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// residentMemory returns the bytes of a process that are in memory: field is VmRSS for those of now, VmHWM for the most
// there have been. For process 0 it is 0.
func residentMemory(pid int, field string) (int64, error) {
	if pid == 0 {
		return 0, nil
	}
	status, err := os.ReadFile(procDir(pid) + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no %s", pid, field)
}
