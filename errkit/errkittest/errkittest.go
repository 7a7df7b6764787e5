// Package errkittest checks that the typed errors of a module keep what package errkit promises for them.
//
// A module calls [Run] in one test, with all its classes and a sample of every typed error and refinement:
//
//	func TestErrors(t *testing.T) {
//		errkittest.Run(t, errkittest.Module{
//			Base:    lamp.Err,
//			Classes: []*errkit.Class{lamp.Err, lamp.ErrHot},
//			Samples: []errkittest.Sample{{
//				Name:  "hot",
//				Err:   &lamp.HotError{Info: errkit.Info{Class: lamp.ErrHot, Op: "on"}, Celsius: 90},
//				Class: lamp.ErrHot,
//				Kinds: errkit.Unavailable,
//				Types: []any{(*lamp.HotError)(nil)},
//				Text:  "lamp: on: too hot: 90 °C",
//				Build: func(target string, cause error) error {
//					return &lamp.HotError{Info: errkit.Info{
//						Class: lamp.ErrHot, Op: "on", Target: redact.URLString(target), Err: errkit.CleanCause(cause),
//					}}
//				},
//			}},
//		})
//	}
package errkittest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Module is the error tree of one module.
type Module struct {
	Base    *errkit.Class   // the module's own Err
	Classes []*errkit.Class // every class of the module
	Foreign []*errkit.Class // classes of other modules, optional: no sample may match one
	Samples []Sample        // at least one for every type and every class that is raised
}

// Sample is one error as the module returns it, and what must hold for it.
type Sample struct {
	Name string

	// Err is the error under test. Its cause, if it has one, should be an error without kinds of its own, such
	// as errors.New("boom"): Kinds then says all that [errors.Is] may find.
	Err error

	Class *errkit.Class // the class of Err
	Kinds errkit.Kind   // all kinds of Err, those of its class included

	// Types holds a typed nil pointer for each type that Err is: its own and, for a subtype, those of its
	// parents, such as (*pikvm.AuthError)(nil), (*pikvm.APIError)(nil).
	Types []any

	Text string // the exact text of Err

	// Build makes a new error of the same type, the way the module does: target is an address or another name as
	// a caller gave it, not yet redacted, cause is what the layer below reported. It must use the constructor that
	// the module uses, or do what that does. An error that has no target or no cause leaves them out.
	Build func(target string, cause error) error

	// Allocs is the number of allocations that Build("", nil) may make. Zero means 1: the error itself. A
	// formatted text may cost one more.
	Allocs int
}

// Run checks every sample of m against every rule, and the rules that are about the tree as a whole. Each sample
// is checked as it is, wrapped once, wrapped twice, and among joined errors. It counts allocations, so it must
// not be called from a parallel test.
func Run(t *testing.T, m Module) {
	t.Run("tree", func(t *testing.T) { report(t, checkTree(&m)) })
	for i := range m.Samples {
		s := &m.Samples[i]
		t.Run(s.Name, func(t *testing.T) {
			if problems := checkComplete(s); problems != nil {
				report(t, problems)
				return // the rules need all of it
			}
			before := snapshot(s.Err)
			for _, rule := range rules {
				t.Run(rule.name, func(t *testing.T) { report(t, rule.check(&m, s)) })
			}
			if after := snapshot(s.Err); after != before {
				t.Errorf("the error changed while it was looked at:\nbefore %s\nafter  %s", before, after)
			}
		})
	}
}

// rules are the points of the matrix. A check returns what it found wrong.
var rules = []struct {
	name  string
	check func(*Module, *Sample) problems
}{
	{"shape", checkShape},
	{"classes", checkClasses},
	{"kinds", checkKinds},
	{"standard", checkStandard},
	{"types", checkTypes},
	{"text", checkText},
	{"secrets", checkSecrets},
	{"report", checkReport},
	{"slog", checkSlog},
	{"allocations", checkAllocations},
	{"race", checkRace},
}

// problems collects what is wrong, one sentence each.
type problems []string

func (p *problems) addf(format string, a ...any) { *p = append(*p, fmt.Sprintf(format, a...)) }

func report(t *testing.T, found problems) {
	t.Helper()
	for _, p := range found {
		t.Error(p)
	}
}

// form is a way in which an error reaches a caller.
type form struct {
	name string
	err  error
}

func forms(err error) []form {
	once := fmt.Errorf("while testing: %w", err)
	return []form{
		{"plain", err},
		{"wrapped", once},
		{"wrapped twice", fmt.Errorf("again: %w", once)},
		{"joined", errors.Join(errors.New("another failure"), err)},
	}
}

// snapshot shows all that is stored in an error.
func snapshot(err error) string { return fmt.Sprintf("%s\n%#v", err, err) }
