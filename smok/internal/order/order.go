// Package order has the orders of the hub and how they are written.
//
// The hub sends sections of orders as MiniJSON over the order link and as JSON over HTTP. Sections wait in a queue, one
// behind the other; the orders of one section are carried out together.
package order

import "time"

// Type says what an order asks for.
type Type string

// The types.
const (
	Read    Type = "read"    // read the pathpoint Path
	Write   Type = "write"   // write Value to the pathpoint Path
	Wait    Type = "wait"    // let the section last for at least Wait
	Message Type = "message" // let the hub send its message UUID
	Sysctl  Type = "sysctl"  // do what the program makes of OpType and OpArgs
)

// Advise says how much is to be done for an order to succeed.
type Advise int

// The levels.
const (
	Advised Advise = 0 // try once
	Force   Advise = 1 // try again when it fails
)

// String returns "advise" or "force".
func (a Advise) String() string {
	if a == Force {
		return "force"
	}
	return "advise"
}

// Order is one thing to do. Which fields count depends on the type.
type Order struct {
	Type Type

	// ID is the identity of this execution, which stays when a crash makes it begin again. The hub sends none: the device
	// gives one to each order that has none.
	ID string

	Path       string    // of Read and Write
	Value      any       // of Write: a bool, an int64, a float64 or a string
	Advise     Advise    // of Read and Write
	StaleAfter time.Time // of Write: from then on it is not carried out; zero means that it never is too old

	Wait           time.Duration // of Wait
	UUID           string        // of Message
	OpType, OpArgs string        // of Sysctl
}

// Section is what waits in the queue as one: orders that are carried out together.
type Section struct {
	Orders []Order

	// CannotJoin makes the section wait until everything before it has ended, and everything behind it until it has
	// ended itself.
	CannotJoin bool
}

// Command is one write of a macro.
type Command struct {
	Path  string
	Value any // a bool, an int64, a float64 or a string
}

// Macro returns the section that carries out the commands of a macro: writes with Force. Of several for one pathpoint the
// last one counts.
func Macro(commands []Command) Section {
	place := make(map[string]int, len(commands))
	orders := make([]Order, 0, len(commands))
	for _, c := range commands {
		o := Order{Type: Write, Path: c.Path, Value: c.Value, Advise: Force}
		if i, again := place[c.Path]; again {
			orders[i] = o
			continue
		}
		place[c.Path] = len(orders)
		orders = append(orders, o)
	}
	return Section{Orders: orders}
}
