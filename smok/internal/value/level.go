package value

// Level says how long the hub keeps the values of a pathpoint. It is a number on the wire; unknown ones are kept.
type Level int

// The levels.
const (
	Permanent Level = 0 // for ever
	Trend     Level = 1 // two weeks
)

// String returns "permanent", "trend" or "unknown".
func (l Level) String() string {
	switch l {
	case Permanent:
		return "permanent"
	case Trend:
		return "trend"
	}
	return "unknown"
}

// Combine returns the more permissive of two levels: the one that keeps longer.
func Combine(a, b Level) Level { return min(a, b) }
