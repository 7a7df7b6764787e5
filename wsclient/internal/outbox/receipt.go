package outbox

// State says where a message is.
type State uint8

const (
	// Queued: it waits.
	Queued State = iota
	// Written: it was handed to the system. This is the end of it unless messages are acknowledged.
	Written
	// Acked: the peer acknowledged it.
	Acked
	// Dropped: it will not be sent.
	Dropped
	// Expired: it waited too long and will not be sent.
	Expired
	// Unknown: it was written, whether the peer has it is not known, and nobody will find out.
	Unknown
)

// String returns the name of the state in lower case.
func (s State) String() string {
	names := [...]string{"queued", "written", "acked", "dropped", "expired", "unknown"}
	if int(s) < len(names) {
		return names[s]
	}
	return "invalid"
}

// Receipt tells of one message what becomes of it.
type Receipt struct {
	box *Box

	// Guarded by the mutex of the box.
	number uint64
	state  State
	final  bool
	err    error
	done   chan struct{} // nil as long as nobody asked
}

var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Number returns the number of the message.
func (r *Receipt) Number() uint64 {
	r.box.mu.Lock()
	defer r.box.mu.Unlock()
	return r.number
}

// State returns where the message is.
func (r *Receipt) State() State {
	r.box.mu.Lock()
	defer r.box.mu.Unlock()
	return r.state
}

// Done returns a channel that is closed when the state changes no more.
func (r *Receipt) Done() <-chan struct{} {
	r.box.mu.Lock()
	defer r.box.mu.Unlock()
	if r.done == nil {
		if r.final {
			return closedChan
		}
		r.done = make(chan struct{})
	}
	return r.done
}

// Err returns why the message was not delivered, nil if it was or if it is not known yet.
func (r *Receipt) Err() error {
	r.box.mu.Lock()
	defer r.box.mu.Unlock()
	return r.err
}

// resolve sets the final state. The mutex of the box is held.
func (r *Receipt) resolve(state State, err error) {
	if r == nil || r.final {
		return
	}
	r.state, r.err, r.final = state, err, true
	if r.done != nil {
		close(r.done)
	}
}

// Cancel takes the message back. It reports whether that was in time: a message that is being written, or
// was, on this or an earlier connection, is not taken back.
func (r *Receipt) Cancel() bool {
	b := r.box
	b.mu.Lock()
	defer b.unlock()
	if r.final || r.state != Queued {
		return false
	}
	if e := b.wait.find(r.number); e != nil && e.receipt == r {
		if e.whole {
			return false
		}
		if e.stored {
			b.disk.discard(r.number)
		}
		b.finish(&b.wait, e, &b.stats.Canceled, Dropped, b.errCanceled())
		b.wait.tidy()
		b.settle()
		return true
	}
	return b.disk != nil && b.disk.cancel(b, r)
}
