//go:build !race

package errkittest

const raceDetector = false
