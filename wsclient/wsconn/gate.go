package wsconn

// gate is a mutex that may be held while the network is waited for. Unlike one of package sync, it lets the time of a
// testing/synctest bubble pass for those who wait at it.
type gate chan struct{}

func newGate() gate { return make(gate, 1) }

func (g gate) Lock() { g <- struct{}{} }

func (g gate) Unlock() { <-g }

// TryLock takes the gate if it is free.
func (g gate) TryLock() bool {
	select {
	case g <- struct{}{}:
		return true
	default:
		return false
	}
}
