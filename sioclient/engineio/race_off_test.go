//go:build !race

package engineio_test

// raceEnabled makes long tests shorter.
const raceEnabled = false
