// Package outbox holds the messages of a manager that are on their way to the peer: those that wait, those that were
// written and are not acknowledged yet, and what is known of all others.
//
// It knows no network. One goroutine per connection takes messages out with [Box.Next], writes them, and says with
// [Box.Sent] how far it came; [Box.Up] and [Box.Down] tell of connections. The box has no goroutine of its own; a timer
// expires what waits too long.
//
// Nothing is lost silently. At every moment, by [Box.Stats],
//
//	Recovered + Accepted = Delivered + Depth + Dropped + Expired + Canceled + Refused + Quarantined + Drained + Vanished
package outbox
