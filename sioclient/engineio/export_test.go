package engineio

import "time"

// SetNow replaces the clock of a connection.
func SetNow(c *Conn, now func() time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}
