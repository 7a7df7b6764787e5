package link

import (
	"net"
	"sync/atomic"
	"time"
)

// meter counts the bytes of a network connection and remembers when the last one came. It lies below TLS, where a byte
// shows long before the record that it is a part of.
type meter struct {
	net.Conn
	began    time.Time
	in, out  atomic.Int64
	lastRead atomic.Int64 // since began
}

func newMeter(conn net.Conn) *meter { return &meter{Conn: conn, began: time.Now()} }

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	if n > 0 {
		m.in.Add(int64(n))
		m.lastRead.Store(int64(time.Since(m.began)))
	}
	return n, err
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	m.out.Add(int64(n))
	return n, err
}

// now returns the time since the beginning of the connection, by the monotonic clock.
func (m *meter) now() time.Duration { return time.Since(m.began) }
