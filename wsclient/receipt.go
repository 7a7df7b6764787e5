//go:build !js

package wsclient

import "github.com/fieldlink-go/fieldlink/wsclient/internal/outbox"

// ReceiptState says where a message is.
type ReceiptState = outbox.State

const (
	// ReceiptQueued is the state of a message that waits, in memory or in the spool.
	ReceiptQueued = outbox.Queued
	// ReceiptWritten is the state of a message that was handed to the operating system. It is final, unless messages
	// are acknowledged.
	ReceiptWritten = outbox.Written
	// ReceiptAcked is the state of a message that the peer acknowledged.
	ReceiptAcked = outbox.Acked
	// ReceiptDropped is the state of a message that is not sent: for want of room, because it was taken back, because
	// the peer refused it or closed at it time and again, or because the spool lost it.
	ReceiptDropped = outbox.Dropped
	// ReceiptExpired is the state of a message that waited too long and is not sent.
	ReceiptExpired = outbox.Expired
	// ReceiptUnknown is the state of a message whose fate nobody will find out: it was written, and then given up
	// before it was acknowledged. It also is that of a message in the spool if more than 16,384 receipts wait for
	// messages there; the message itself is as safe as the others.
	ReceiptUnknown = outbox.Unknown
)

// Receipt tells what becomes of a message that was given to [Manager.Enqueue]. Its methods may be called from any
// goroutine.
type Receipt struct{ entry outbox.Receipt }

// Done returns a channel that is closed when the state is final: when the message was written or, with
// acknowledgements, acknowledged; when it is certain that this will not happen; and when the manager is closed.
func (r *Receipt) Done() <-chan struct{} { return r.entry.Done() }

// State returns where the message is.
func (r *Receipt) State() ReceiptState { return r.entry.State() }

// Err returns why the message was not delivered: an error that matches [ErrQueueFull], [ErrExpired], [ErrCanceled],
// [ErrRefused], the close error of a peer that could not bear the message, or [ErrClosed] if the manager was closed
// before. It is nil as long as nothing of that has happened.
func (r *Receipt) Err() error { return r.entry.Err() }

// Number returns the number of the message: ascending in the order in which messages are sent, across connections. With
// a spool it is the number of the record, and goes on after a restart; otherwise the first message of a manager has 1.
// It is 0 for a message that was not queued, and as long as the message is in memory because the spool fails.
func (r *Receipt) Number() uint64 { return r.entry.Number() }

// Cancel takes the message back if it was not written yet, and reports whether it was in time. One that is being
// written, or was written on an earlier connection and not acknowledged, is not taken back. A spool takes note when the
// manager is connected or closed: a crash before that brings the message back.
func (r *Receipt) Cancel() bool { return r.entry.Cancel() }
