package errkittest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// A module for pumps, whose errors are right. The tests break one thing at a time.
var (
	pumpErr   = errkit.NewClass("pump", "", 0)
	pumpDry   = pumpErr.New("dry", "no water", errkit.Unavailable)
	pumpFrost = pumpDry.New("frost", "frozen", 0)
	otherErr  = errkit.NewClass("valve", "", 0)
	otherShut = otherErr.New("shut", "shut", errkit.Closed)
)

type dryError struct {
	errkit.Info
	Litres int
}

func (e *dryError) Error() string           { return errkit.Message(&e.Info, fmt.Sprint(e.Litres, " l")) }
func (e *dryError) ErrorAttrs() []slog.Attr { return []slog.Attr{slog.Int("litres", e.Litres)} }

type frostError struct{ dryError }

func (e *frostError) As(target any) bool {
	p, ok := target.(**dryError)
	if ok {
		*p = &e.dryError
	}
	return ok
}

func newInfo(class *errkit.Class, target string, cause error) errkit.Info {
	return errkit.Info{
		Class: class, Op: "start", Target: redact.URLString(target), Kind: errkit.TransportKind(cause), Err: errkit.CleanCause(cause),
	}
}

func pump() Module {
	return Module{
		Base:    pumpErr,
		Classes: []*errkit.Class{pumpErr, pumpDry, pumpFrost},
		Foreign: []*errkit.Class{otherErr, otherShut},
		Samples: []Sample{{
			Name:  "dry",
			Err:   &dryError{Info: newInfo(pumpDry, "cellar", errors.New("boom")), Litres: 3},
			Class: pumpDry, Kinds: errkit.Unavailable,
			Types: []any{(*dryError)(nil)},
			Text:  "pump: start cellar: no water: 3 l: boom",
			Build: func(target string, cause error) error { return &dryError{Info: newInfo(pumpDry, target, cause)} },
		}, {
			Name:  "frost",
			Err:   &frostError{dryError{Info: newInfo(pumpFrost, "cellar", nil)}},
			Class: pumpFrost, Kinds: errkit.Unavailable,
			Types: []any{(*frostError)(nil), (*dryError)(nil)},
			Text:  "pump: start cellar: frozen: 0 l",
			Build: func(target string, cause error) error {
				return &frostError{dryError{Info: newInfo(pumpFrost, target, cause)}}
			},
		}},
	}
}

func TestRunPasses(t *testing.T) { Run(t, pump()) }

// basic is dryError with methods to replace.
type basic = errkit.Basic

type (
	valueError   struct{ dryErr }
	dryErr       = *dryError
	greedyError  struct{ basic }
	claimsError  struct{ basic }
	orphanError  struct{ dryError }
	copyError    struct{ dryError }
	linesError   struct{ basic }
	keyError     struct{ basic }
	loggedError  struct{ basic }
	costlyError  struct{ basic }
	fickleError  struct{ basic }
	foreignError struct{ text string }
)

func (e valueError) Error() string { return "pump: " }

func (e *greedyError) Is(target error) bool { return target == errkit.Timeout || e.Info.Is(target) }

func (e *claimsError) Is(error) bool { return true }

func (e *copyError) As(target any) bool {
	p, ok := target.(**dryError)
	if ok {
		*p = &dryError{Info: e.Info}
	}
	return ok
}

func (e *linesError) Error() string { return fmt.Sprint("start failed\n%!d(string=x): ", e.Err) }

func (e *keyError) ErrorAttrs() []slog.Attr { return []slog.Attr{slog.String("class", "x")} }

func (e *loggedError) LogValue() slog.Value { return slog.StringValue("x") }

func (e *costlyError) Is(target error) bool {
	costs = append([]string(nil), e.Op, e.Target)
	return e.Info.Is(target)
}

var costs []string

var calls atomic.Int64

func (e *fickleError) Error() string { return fmt.Sprint("pump: ", calls.Add(1)) }

func (e *foreignError) Error() string { return e.text }

// broken changes the first sample of the module in one way and says which rule must object, and how.
var broken = []struct {
	name    string
	rule    string
	problem string
	change  func(m *Module, s *Sample)
}{
	{"no base", "tree", "Base is nil", func(m *Module, _ *Sample) { m.Base = nil }},
	{"a base below another", "tree", "not a child of errkit.Err", func(m *Module, _ *Sample) { m.Base = pumpDry }},
	{"no samples", "tree", "no samples", func(m *Module, _ *Sample) { m.Samples = nil }},
	{"a class of another module", "tree", "not below pump", func(m *Module, _ *Sample) { m.Classes = append(m.Classes, otherErr) }},
	{"a class without a sample", "tree", "no sample is of class pump.dry.frost", func(m *Module, _ *Sample) { m.Samples = m.Samples[:1] }},
	{"a foreign class of its own", "tree", "module's own", func(m *Module, _ *Sample) { m.Foreign = append(m.Foreign, pumpDry) }},
	{"no name", "complete", "Name", func(_ *Module, s *Sample) { s.Name = "" }},
	{"no error", "complete", "Err is nil", func(_ *Module, s *Sample) { s.Err = nil }},
	{"a typed nil", "complete", "Err is nil", func(_ *Module, s *Sample) { s.Err = (*dryError)(nil) }},
	{"a value", "complete", "not a pointer", func(_ *Module, s *Sample) { s.Err = valueError{&dryError{}} }},
	{"no class", "complete", "Class is nil", func(_ *Module, s *Sample) { s.Class = nil }},
	{"no builder", "complete", "Build is nil", func(_ *Module, s *Sample) { s.Build = nil }},
	{"no types", "complete", "Types is empty", func(_ *Module, s *Sample) { s.Types = nil }},
	{"a type that is none", "complete", "no pointer to an error type", func(_ *Module, s *Sample) { s.Types = append(s.Types, nil, 5) }},
	{"not typed", "shape", "no errkit.Error", func(_ *Module, s *Sample) { s.Err = &foreignError{s.Text} }},
	{"another class", "shape", "the class is pump.dry.frost", func(_ *Module, s *Sample) { s.Err = pumpFrost.Wrap("start", "cellar", nil) }},
	{"nil class", "shape", "the class is nil", func(_ *Module, s *Sample) { s.Err = &dryError{} }},
	{"class outside", "shape", "not below pump", func(_ *Module, s *Sample) { s.Err, s.Class = otherErr.Wrap("", "", nil), otherErr }},
	{"pooled", "shape", "the same error twice", func(_ *Module, s *Sample) {
		err := s.Err
		s.Build = func(string, error) error { return err }
	}},
	{"logs itself", "shape", "slog.LogValuer", func(_ *Module, s *Sample) { s.Err = &loggedError{basic{Info: newInfo(pumpDry, "", nil)}} }},
	{"matches a foreign class", "classes", "class of another module", func(_ *Module, s *Sample) { s.Err = &claimsError{basic{Info: newInfo(pumpDry, "", nil)}} }},
	{"matches a class below", "classes", "errors.Is(err, pump.dry.frost) is true", func(_ *Module, s *Sample) { s.Err = errors.Join(s.Err, pumpFrost) }},
	{"class not listed", "classes", "missing in Module.Classes", func(m *Module, _ *Sample) { m.Classes = m.Classes[:1] }},
	{"kind missing", "kinds", "errors.Is(err, busy) is false", func(_ *Module, s *Sample) { s.Kinds |= errkit.Busy }},
	{"kind too many", "kinds", "errors.Is(err, unavailable) is true", func(_ *Module, s *Sample) { s.Kinds = 0 }},
	{"matches the empty kind", "kinds", "empty Kind", func(_ *Module, s *Sample) { s.Err = &claimsError{basic{Info: newInfo(pumpDry, "", nil)}} }},
	{"claims a kind", "kinds", "KindOf is unavailable, want timeout|unavailable", func(_ *Module, s *Sample) {
		s.Err, s.Kinds = &greedyError{basic{Info: newInfo(pumpDry, "", nil)}}, errkit.Unavailable|errkit.Timeout
	}},
	{"loses a kind on the way", "report", "errors.Is(err, timeout) is false", func(_ *Module, s *Sample) {
		s.Err, s.Kinds = &greedyError{basic{Info: newInfo(pumpDry, "", nil)}}, errkit.Unavailable|errkit.Timeout
	}},
	{"matches the caller's deadline", "standard", "errors.Is(err, context deadline exceeded) is true", func(_ *Module, s *Sample) { s.Err = &claimsError{basic{Info: newInfo(pumpDry, "", nil)}} }},
	{"timeout without the kind", "standard", "os.ErrDeadlineExceeded) is true", func(_ *Module, s *Sample) { s.Err = &dryError{Info: errkit.Info{Class: pumpDry, Kind: errkit.Timeout}} }},
	{"no net.Error", "standard", "no net.Error", func(_ *Module, s *Sample) { s.Err = &foreignError{} }},
	{"builds with another cause", "standard", "built with cause", func(_ *Module, s *Sample) {
		s.Build = func(_ string, cause error) error { return pumpDry.Wrap("", "", errors.Join(cause, context.Canceled)) }
	}},
	{"type not listed", "types", "Types lacks", func(_ *Module, s *Sample) { s.Types = []any{(*frostError)(nil)} }},
	{"not its parent", "types", "is false, want true", func(_ *Module, s *Sample) {
		s.Err, s.Types = &orphanError{dryError{Info: newInfo(pumpDry, "", nil)}}, append(s.Types, (*orphanError)(nil))
	}},
	{"not alone", "types", "is true, want false", func(_ *Module, s *Sample) {
		s.Err = &dryError{Info: newInfo(pumpDry, "", &frostError{})}
	}},
	{"a copy of its parent", "types", "no copy", func(_ *Module, s *Sample) {
		s.Err, s.Types = &copyError{dryError{Info: newInfo(pumpDry, "", nil)}}, append(s.Types, (*copyError)(nil))
	}},
	{"another text", "text", "the text is", func(_ *Module, s *Sample) { s.Text = "pump: x" }},
	{"no module in the text", "text", "begins with", func(_ *Module, s *Sample) { s.Err = &linesError{} }},
	{"two lines", "text", "control characters", func(_ *Module, s *Sample) { s.Err = &linesError{} }},
	{"formatted wrongly", "text", "formatted wrongly", func(_ *Module, s *Sample) { s.Err = &linesError{} }},
	{"long text", "text", "more than 1 KiB", func(_ *Module, s *Sample) {
		s.Build = func(_ string, cause error) error { return &linesError{basic{Info: errkit.Info{Err: cause}}} }
	}},
	{"text that is not UTF-8", "text", "not valid UTF-8", func(_ *Module, s *Sample) {
		s.Build = func(_ string, cause error) error { return &linesError{basic{Info: errkit.Info{Err: cause}}} }
	}},
	{"target not redacted", "secrets", "a secret is in Error()", func(_ *Module, s *Sample) {
		s.Build = func(target string, _ error) error {
			return &dryError{Info: errkit.Info{Class: pumpDry, Target: target}}
		}
	}},
	{"cause not cleaned", "secrets", "a secret is in the layer *url.Error", func(_ *Module, s *Sample) {
		s.Build = func(_ string, cause error) error { return &dryError{Info: errkit.Info{Class: pumpDry, Err: cause}} }
	}},
	{"reserved key", "slog", `the key "class"`, func(_ *Module, s *Sample) { s.Err = &keyError{basic{Info: newInfo(pumpDry, "", nil)}} }},
	{"log of another class", "slog", "the log has class", func(_ *Module, s *Sample) { s.Class = pumpFrost }},
	{"costly to build", "allocations", "Build makes", func(_ *Module, s *Sample) {
		s.Build = func(string, error) error { return pumpDry.Wrap("", "", errors.Join(os.ErrClosed)) }
	}},
	{"costly to match", "allocations", "errors.Is with a class", func(_ *Module, s *Sample) { s.Err = &costlyError{basic{Info: newInfo(pumpDry, "", nil)}} }},
	{"fickle", "race", "different errors", func(_ *Module, s *Sample) {
		s.Build = func(string, error) error { return &fickleError{} }
	}},
}

func TestBroken(t *testing.T) {
	for _, tc := range broken {
		t.Run(tc.name, func(t *testing.T) {
			if tc.rule == "allocations" && raceDetector {
				t.Skip("the race detector allocates")
			}
			m := pump()
			tc.change(&m, &m.Samples[0])
			found := examine(t, &m, tc.rule)
			if !strings.Contains(strings.Join(found, "\n"), tc.problem) {
				t.Errorf("the rule %s found %q, want %q", tc.rule, found, tc.problem)
			}
		})
	}
}

// examine applies one rule to the first sample.
func examine(t *testing.T, m *Module, name string) problems {
	switch name {
	case "tree":
		return checkTree(m)
	case "complete":
		return checkComplete(&m.Samples[0])
	}
	for _, rule := range rules {
		if rule.name == name {
			return rule.check(m, &m.Samples[0])
		}
	}
	t.Fatalf("there is no rule %s", name)
	return nil
}

// Each rule objects to something.
func TestBrokenIsComplete(t *testing.T) {
	tested := map[string]bool{}
	for _, tc := range broken {
		tested[tc.rule] = true
	}
	for _, rule := range rules {
		if !tested[rule.name] {
			t.Errorf("no test breaks the rule %s", rule.name)
		}
	}
}

// changingError changes while it is looked at.
type changingError struct {
	errkit.Info
	Seen int
}

func (e *changingError) Error() string {
	e.Seen++
	return errkit.Message(&e.Info, "")
}

// Run itself fails: in another process, since a test cannot fail and pass.
func TestRunFails(t *testing.T) {
	const variable = "ERRKITTEST_BROKEN"
	m := pump()
	switch os.Getenv(variable) {
	case "text":
		m.Samples[0].Text = "another"
	case "incomplete":
		m.Samples[0].Build = nil
	case "tree":
		m.Classes = append(m.Classes, otherErr)
	case "changing":
		s := &m.Samples[0]
		s.Err, s.Text = &changingError{Info: newInfo(pumpDry, "cellar", nil)}, "pump: start cellar: no water"
		s.Types = []any{(*changingError)(nil)}
		m.Samples = append(m.Samples, pump().Samples[0])
	case "":
		for what, want := range map[string]string{
			"text":       "--- FAIL: TestRunFails/dry/text",
			"incomplete": "Sample.Build is nil",
			"tree":       "--- FAIL: TestRunFails/tree",
			"changing":   "the error changed while it was looked at",
		} {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRunFails$")
			cmd.Env = append(os.Environ(), variable+"="+what)
			out, err := cmd.CombinedOutput()
			if _, failed := errors.AsType[*exec.ExitError](err); !failed || !strings.Contains(string(out), want) {
				t.Errorf("%s: %v, without %q:\n%s", what, err, want, out)
			}
		}
		return
	}
	Run(t, m)
}
