package netem

import (
	"fmt"
	"time"
)

// Direction is one way through a link, or both.
type Direction uint8

const (
	// Up is from the end that dialled to the end that accepted.
	Up Direction = 1 << iota
	// Down is from the end that accepted to the end that dialled.
	Down
	// Both is Up and Down.
	Both = Up | Down
)

// String returns "up", "down" or "both".
func (d Direction) String() string {
	switch d {
	case Up:
		return "up"
	case Down:
		return "down"
	case Both:
		return "both"
	}
	return fmt.Sprintf("Direction(%d)", uint8(d))
}

// CutMode is how a connection ends, as both of its ends see it.
type CutMode uint8

const (
	// FIN lets each end see the other one close: reads return io.EOF, the first write is lost, later ones fail
	// with EPIPE.
	FIN CutMode = iota
	// RST lets each end see the other one reset: reads and writes fail with ECONNRESET.
	RST
	// Silence lets each end see the other one vanish: reads hang, writes succeed until the window is full and then
	// hang, closing one end is not noticed by the other.
	Silence
	// Swallow is Silence with an endless window: reads hang, every write succeeds and is lost.
	Swallow
)

// String returns the name of the constant.
func (m CutMode) String() string {
	switch m {
	case FIN:
		return "FIN"
	case RST:
		return "RST"
	case Silence:
		return "Silence"
	case Swallow:
		return "Swallow"
	}
	return fmt.Sprintf("CutMode(%d)", uint8(m))
}

// DefaultWindow is the number of bytes per direction that may be written and not yet read.
const DefaultWindow = 64 << 10

// knobs are the settings of one direction of a link.
type knobs struct {
	stalled   bool
	latency   time.Duration
	bandwidth int64 // bytes per second, 0 is endless
	window    int
	chunk     int   // longest read, 0 is endless
	cutAfter  int64 // bytes that may still cross before the cut, negative is no cut
	cutMode   CutMode
}

// Faults controls links. A [Link] has it for itself; for a [Network] and a [Proxy] it applies to every link that is
// open and sets how later links begin. All methods may be called at any time from any goroutine.
type Faults struct{ target controlled }

// controlled is what Faults acts on.
type controlled interface {
	change(dir Direction, set func(*knobs))
	cut(mode CutMode)
}

// Stall stops the wire: bytes, and the news that an end was closed, wait until [Faults.Resume]. The sender may fill
// the window. A stall delays neither a cut nor the handshake of a dial; for that there is [Network.Blackhole].
func (f *Faults) Stall(dir Direction) {
	f.target.change(dir, func(k *knobs) { k.stalled = true })
}

// Resume ends a stall. What waited crosses now, or when its latency is over.
func (f *Faults) Resume(dir Direction) {
	f.target.change(dir, func(k *knobs) { k.stalled = false })
}

// Latency sets the time that bytes written from now on take to cross. Order is kept: bytes never overtake those
// written before. Zero or less means none.
func (f *Faults) Latency(dir Direction, d time.Duration) {
	f.target.change(dir, func(k *knobs) { k.latency = max(d, 0) })
}

// Bandwidth limits how many bytes per second cross, for bytes written from now on. They cross in small portions,
// one every 10 ms or one byte at a time, whichever is larger. Zero or less means no limit.
func (f *Faults) Bandwidth(dir Direction, bytesPerSecond int64) {
	f.target.change(dir, func(k *knobs) { k.bandwidth = max(bytesPerSecond, 0) })
}

// Window sets how many bytes may be written and not yet read before writes block. Zero or less means [DefaultWindow].
// Bytes already in a larger window stay there.
func (f *Faults) Window(dir Direction, bytes int) {
	if bytes <= 0 {
		bytes = DefaultWindow
	}
	f.target.change(dir, func(k *knobs) { k.window = bytes })
}

// Chunk lets a read return at most n bytes. Zero or less means no limit. Behind a [Proxy] it is the size of the
// proxy's writes to the real socket, which the kernel may join again.
func (f *Faults) Chunk(dir Direction, n int) {
	f.target.change(dir, func(k *knobs) { k.chunk = max(n, 0) })
}

// CutAfter cuts a link, in both directions, as soon as exactly n more bytes have crossed in direction dir; with n = 0
// at once. A later CutAfter for the same direction replaces it; a negative n takes it back. For a [Network] or a
// [Proxy] later links are cut after their first n bytes as well, until it is taken back.
func (f *Faults) CutAfter(dir Direction, n int64, mode CutMode) {
	f.target.change(dir, func(k *knobs) { k.cutAfter, k.cutMode = n, mode })
}

// Cut cuts open links now, in both directions. Later links are not touched. A link that was silenced may be cut
// again, with FIN or RST.
func (f *Faults) Cut(mode CutMode) { f.target.cut(mode) }

// HalfOpen lets both ends believe in a connection that is gone. It is Cut([Swallow]).
func (f *Faults) HalfOpen() { f.Cut(Swallow) }
