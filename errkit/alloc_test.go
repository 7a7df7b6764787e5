//go:build !race

package errkit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// The race detector allocates on its own account, so these run without it.
func TestAllocations(t *testing.T) {
	wrapped := fmt.Errorf("y: %w", fmt.Errorf("x: %w", &hotError{Info: errkit.Info{Class: lampHot, Err: errRefused}}))
	deadline := fmt.Errorf("x: %w", context.DeadlineExceeded)
	var sink error
	for _, tc := range []struct {
		name string
		want float64
		run  func()
	}{
		{"building a typed error", 1, func() { sink = newHotError("kitchen", errRefused) }},
		{"building with Wrap", 1, func() { sink = lampHot.Wrap("on", "kitchen", io.EOF) }},
		{"errors.Is, kind", 0, func() { errors.Is(wrapped, errkit.Unavailable) }},
		{"errors.Is, absent kind", 0, func() { errors.Is(wrapped, errkit.Busy) }},
		{"errors.Is, class", 0, func() { errors.Is(wrapped, lampHot) }},
		{"errors.Is, absent class", 0, func() { errors.Is(wrapped, lampBroken) }},
		{"errors.Is, Err", 0, func() { errors.Is(wrapped, errkit.Err) }},
		{"errors.AsType", 0, func() { _, _ = errors.AsType[*hotError](wrapped) }},
		{"Classify, dial", 0, func() { errkit.Classify(errRefused) }},
		{"Classify, deadline", 0, func() { errkit.Classify(deadline) }},
		{"Classify, typed", 0, func() { errkit.Classify(wrapped) }},
		{"KindOf, typed", 0, func() { errkit.KindOf(wrapped) }},
		{"KindOf, dial", 0, func() { errkit.KindOf(errRefused) }},
		{"Transient", 0, func() { errkit.Transient(wrapped) }},
		{"CodeOf", 0, func() { errkit.CodeOf(wrapped) }},
		{"RetryAfter", 0, func() { _, _ = errkit.RetryAfter(wrapped) }},
		{"CleanCause", 0, func() { _ = errkit.CleanCause(errRefused) }},
		{"the name of one kind", 0, func() { _ = errkit.Busy.Error() }},
	} {
		if got := testing.AllocsPerRun(200, tc.run); got != tc.want {
			t.Errorf("%s: %v allocations, want %v", tc.name, got, tc.want)
		}
	}
	_ = sink
}
