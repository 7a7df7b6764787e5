//go:build !js

package wsclient

// Pending is a message that was accepted and has no fate yet.
type Pending struct {
	Outgoing
	Number uint64       // see [Receipt.Number]
	State  ReceiptState // ReceiptQueued, or ReceiptWritten if the peer may have it
}

// Pending returns the messages that were accepted and have no fate yet, in the order in which they will be sent. The data
// is the caller's own. With a spool it returns those that are in memory to be sent next; Stats counts all.
func (m *Manager) Pending() []Pending {
	if m.outbox == nil {
		return nil
	}
	var all []Pending
	for _, p := range m.outbox.Pending() {
		all = append(all, Pending{Outgoing: outgoing(p.Message), Number: p.Number, State: p.State})
	}
	return all
}

// DrainPending takes back the messages that wait to be sent, in their order, so that the program can do something else
// with them: after giving up, or when the manager was closed. Their receipts get ReceiptDropped and [ErrCanceled], those of
// messages that an earlier connection wrote without an acknowledgement ReceiptUnknown; receipts that Close has ended
// stay as they are.
//
// What is being written, or waits for an acknowledgement on the present connection, is not taken back. What is in a
// spool stays there, for the next process.
func (m *Manager) DrainPending() []Outgoing {
	if m.outbox == nil {
		return nil
	}
	var all []Outgoing
	for _, msg := range m.outbox.Drain() {
		all = append(all, outgoing(msg))
	}
	return all
}
