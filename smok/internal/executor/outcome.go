package executor

// Status says what became of an order.
type Status int

// The states. An order that was not handled has the zero one.
const (
	Pending   Status = iota
	Done             // carried out
	Skipped          // there was nothing to do; see Outcome.Reason
	Stale            // too old, by its StaleAfter
	Failed           // by the error, after all attempts
	Cancelled        // by [Handle.Cancel]
	Abandoned        // by [Executor.Stop]: it may come again
)

// String returns the name of the state in lower case.
func (s Status) String() string {
	names := [...]string{"pending", "done", "skipped", "stale", "failed", "cancelled", "abandoned"}
	if s < 0 || int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

// Outcome is what became of one order.
type Outcome struct {
	Status   Status
	Reason   string // of Skipped
	Err      error  // of Failed, and of the last attempt of Stale, Cancelled and Abandoned, if there was one
	Attempts int    // calls of the target
}

// Results has the outcomes of a submission: those of the orders of each section, in the order of the lists.
type Results [][]Outcome

// SkipError is what a [Target] returns when there is nothing to do. The order is then skipped, not failed.
type SkipError struct{ Reason string }

// Skip returns a *[SkipError].
func Skip(reason string) error { return &SkipError{reason} }

// Error returns one line with the reason.
func (e *SkipError) Error() string { return "skipped: " + e.Reason }
