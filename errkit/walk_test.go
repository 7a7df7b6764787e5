package errkit_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

func TestWalk(t *testing.T) {
	t.Parallel()
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	wrapped := fmt.Errorf("wrapped: %w", b)
	joined := errors.Join(a, wrapped, nil, c)
	top := lampHot.Wrap("on", "", joined)
	want := []error{top, joined, a, wrapped, b, c}
	if got := slices.Collect(errkit.Walk(top)); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	var some []error
	for e := range errkit.Walk(top) {
		if some = append(some, e); e == a {
			break
		}
	}
	if !slices.Equal(some, want[:3]) {
		t.Errorf("stopped early it gave %q", some)
	}
	for e := range errkit.Walk(nil) {
		t.Errorf("nil gave %v", e)
	}
	nested := errors.Join(errors.Join(a, errors.Join(b)), c)
	var leaves []error
	for e := range errkit.Walk(nested) {
		if e == a || e == b || e == c {
			leaves = append(leaves, e)
		}
	}
	if !slices.Equal(leaves, []error{a, b, c}) {
		t.Errorf("the members come as %q", leaves)
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	first := &hotError{Info: errkit.Info{Class: lampHot}, Celsius: 1}
	second := &meltedError{hotError{Info: errkit.Info{Class: lampMelted, Err: first}, Celsius: 2}}
	err := errors.Join(errTest, fmt.Errorf("wrapped: %w", second), io.EOF, first)
	var got []int
	for e := range errkit.All[*hotError](err) {
		got = append(got, e.Celsius)
	}
	if want := []int{2, 1, 1}; !slices.Equal(got, want) { // second through its As method
		t.Errorf("got %v, want %v", got, want)
	}
	for e := range errkit.All[*hotError](err) {
		if e.Celsius != 2 {
			t.Error("it did not stop")
		}
		break
	}
	for e := range errkit.All[*errkit.Basic](err) {
		t.Errorf("found %v", e)
	}
	for e := range errkit.All[*hotError](nil) {
		t.Errorf("nil gave %v", e)
	}
	var kinds []errkit.Kind
	for k := range errkit.All[errkit.Kind](errors.Join(errkit.Busy, lampHot.Wrap("", "", errkit.Timeout))) {
		kinds = append(kinds, k)
	}
	if !slices.Equal(kinds, []errkit.Kind{errkit.Busy, errkit.Timeout}) {
		t.Errorf("kinds %v", kinds)
	}
}

// loop is an error that is its own cause.
type loop struct{}

func (e *loop) Error() string { return "loop" }
func (e *loop) Unwrap() error { return e }

// tangle is an error that is all of its own causes.
type tangle struct{}

func (e *tangle) Error() string   { return "tangle" }
func (e *tangle) Unwrap() []error { return []error{e, e} }

// Errors that lead back to themselves and chains of any depth end every inspection. (errors.Is and errors.As of
// the standard library do not stand the former.)
func TestDeepAndCyclic(t *testing.T) {
	t.Parallel()
	deep := errors.New("bottom")
	joined := lampHot.Wrap("", "", nil)
	for range 10_000 {
		deep = fmt.Errorf("%w", deep)
		joined = errors.Join(joined)
	}
	count := 0
	for range errkit.Walk(deep) {
		count++
	}
	if count != 10_001 {
		t.Errorf("the deep chain has %d errors", count)
	}
	if got := errkit.KindOf(joined); got != errkit.Unavailable {
		t.Errorf("kinds below 10,000 joins: %v", got)
	}
	if !errkit.Transient(joined) || errkit.CodeOf(joined) != "lamp.hot" {
		t.Errorf("below 10,000 joins: transient %v, code %q", errkit.Transient(joined), errkit.CodeOf(joined))
	}
	for _, err := range []error{deep, joined, &loop{}, &tangle{}, fmt.Errorf("x: %w", &loop{}), errors.Join(&loop{}, &tangle{})} {
		for range errkit.Walk(err) {
			continue
		}
		for range errkit.All[*hotError](err) {
			t.Errorf("a hotError in %T", err)
		}
		errkit.KindOf(err)
		errkit.Classify(err)
		errkit.TransportKind(err)
		errkit.Transient(err)
		errkit.CodeOf(err)
		errkit.RetryAfter(err)
		errkit.CleanCause(err)
	}
	for _, err := range []error{deep, &loop{}} {
		errkit.Detail(err)
		errkit.Attr(err).Value.Resolve()
		errkit.NewReport(err)
	}
}
