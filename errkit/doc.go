// Package errkit is the error model that all Fieldlink modules share. It uses the standard library only.
//
// Handling the errors of a module needs package errors and the module itself. Five questions have one-line
// answers:
//
//	errors.Is(err, pikvm.Err)                    // did this module make it?
//	errors.Is(err, pikvm.ErrAuth)                // which class of its tree?
//	e, ok := errors.AsType[*pikvm.APIError](err) // give me the fields
//	errors.Is(err, errkit.Timeout)               // what sort of trouble, whatever the module?
//	errkit.Transient(err)                        // may the same call succeed later?
//
// Three concepts stand behind them. A [Kind] is a set of bits that says what sort of trouble it was, the same in
// every module. A [Class] is a node in a tree of named errors: below [Err] the base of each module, below it the
// module's classes. [Info] is embedded in every typed error and holds class, operation, target, further kinds,
// attempts, the time after which to retry, and the cause.
//
// A module declares its classes as variables and its types as structs around Info:
//
//	var (
//		Err    = errkit.NewClass("heater", "", 0)
//		ErrHot = Err.New("hot", "too hot", errkit.Unavailable)
//	)
//
//	// HotError reports a heater that must cool down first.
//	type HotError struct {
//		errkit.Info
//		Celsius int
//	}
//
//	func (e *HotError) Error() string {
//		return errkit.Message(&e.Info, strconv.Itoa(e.Celsius)+" °C")
//	}
//
// Package errkittest checks such a tree, package redact keeps secrets out of it, and package retry repeats calls
// by what their errors say.
//
// Errors are immutable once returned and may be shared between goroutines. They carry no stack traces and, if
// built with package redact, no secrets.
package errkit
