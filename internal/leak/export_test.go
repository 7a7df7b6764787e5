package leak

import "time"

// SetGrace shortens the wait, for tests that plant a leak.
func SetGrace(d time.Duration) { grace = d }
