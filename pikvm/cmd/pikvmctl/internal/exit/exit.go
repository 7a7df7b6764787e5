// Package exit says with which code pikvmctl ends.
package exit

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// Codes of the program.
const (
	OK          = 0
	Failed      = 1   // the device refused, a transfer broke off, a local file could not be written
	Usage       = 2   // wrong command line or configuration; nothing was sent
	Auth        = 3   // the device refused the credentials
	Connect     = 4   // the device was not reached, is not trusted or did not answer in time
	Busy        = 5   // the device does something else
	NotMet      = 6   // what was waited for did not happen
	Interrupted = 130 // by a signal
)

// UsageError reports a wrong command line or configuration.
type UsageError struct{ err error }

// Error returns the text.
func (e *UsageError) Error() string { return e.err.Error() }

// Unwrap returns what is wrong.
func (e *UsageError) Unwrap() error { return e.err }

// Usagef makes a UsageError with the text, and the wrapped errors, of fmt.Errorf.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Errorf(format, args...)} }

// NotMetError reports that what was waited for did not happen.
type NotMetError string

// Error returns the text.
func (e NotMetError) Error() string { return string(e) }

// StatusError is the code of another program that ended badly, which has said why.
type StatusError int

// Error returns the code.
func (e StatusError) Error() string { return "exit status " + strconv.Itoa(int(e)) }

// AsUsage makes err a UsageError.
func AsUsage(err error) error { return &UsageError{err} }

// Code returns the code for the end of a run.
func Code(err error) int {
	if err == nil {
		return OK
	}
	if _, usage := errors.AsType[*UsageError](err); usage {
		return Usage
	}
	if status, ok := errors.AsType[StatusError](err); ok {
		return int(status)
	}
	if _, notMet := errors.AsType[NotMetError](err); notMet {
		return NotMet
	}
	if fleet, ok := errors.AsType[*pikvm.FleetError](err); ok {
		return common(fleet)
	}
	is := func(class error) bool { return errors.Is(err, class) }
	switch {
	case is(context.Canceled):
		return Interrupted
	case is(pikvm.ErrConfiguration):
		return Usage
	case is(pikvm.ErrAuth):
		return Auth
	case is(pikvm.ErrBusy):
		return Busy
	case is(pikvm.ErrPower), is(pikvm.ErrMSD), is(pikvm.ErrScreen):
		if is(errkit.Timeout) {
			return NotMet
		}
		return Failed
	case is(pikvm.ErrConnect), is(pikvm.ErrConnectionTimeout), is(pikvm.ErrWebSocket):
		return Connect
	}
	return Failed
}

// common is the code that all devices of a fleet have in common, or else Failed.
func common(fleet *pikvm.FleetError) int {
	code := Failed
	for i, failure := range fleet.Failed {
		switch one := Code(failure.Err); {
		case i == 0:
			code = one
		case one != code:
			return Failed
		}
	}
	return code
}
