//go:build unix

package main

import (
	"fmt"
	"syscall"
)

// raiseFileLimit allows the process to have that many connections.
func raiseFileLimit(connections int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	need := uint64(connections) + 200
	if uint64(limit.Cur) >= need {
		return nil
	}
	limit.Cur = max(limit.Cur, limit.Max)
	if uint64(limit.Max) < need { // only root may
		limit.Cur, limit.Max = need, need
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("%d open files are needed: %w", need, err)
	}
	return nil
}
