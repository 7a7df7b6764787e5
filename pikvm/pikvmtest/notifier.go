package pikvmtest

// notifier wakes all who wait for a change. Its owner's lock guards it.
type notifier struct{ ch chan struct{} }

// wait returns a channel that the next wake closes.
func (n *notifier) wait() <-chan struct{} {
	if n.ch == nil {
		n.ch = make(chan struct{})
	}
	return n.ch
}

func (n *notifier) wake() {
	if n.ch != nil {
		close(n.ch)
		n.ch = nil
	}
}
