//go:build !js

package wsclient

import (
	"log/slog"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// StateError reports a call that the state of the manager does not allow. Nothing changed.
type StateError struct {
	errkit.Info
	State State
}

func (e *StateError) Error() string { return errkit.Message(&e.Info, e.State.String()) }

// ErrorAttrs returns the state for structured logs.
func (e *StateError) ErrorAttrs() []slog.Attr {
	return []slog.Attr{slog.String("state", e.State.String())}
}
