//go:build !unix

package wsclient_test

// runSleeper reports whether this process is one that suspends itself, which it cannot be here.
func runSleeper() bool { return false }
