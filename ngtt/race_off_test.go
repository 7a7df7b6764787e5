//go:build !race

package ngtt_test

const raceEnabled = false
