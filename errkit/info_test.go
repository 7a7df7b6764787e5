package errkit_test

import (
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

func TestInfoIs(t *testing.T) {
	t.Parallel()
	err := &meltedError{hotError{Info: errkit.Info{
		Class: lampMelted, Kind: errkit.Timeout | errkit.Closed, Err: &hotError{Info: errkit.Info{Class: lampHot, Kind: errkit.Busy, Err: io.EOF}},
	}}}
	for _, tc := range []struct {
		target error
		want   bool
	}{
		{lampMelted, true},
		{lampHot, true},
		{lampErr, true},
		{errkit.Err, true},
		{lampBroken, false},
		{errkit.Unavailable, true},               // of the class above
		{errkit.Internal | errkit.Timeout, true}, // of class and error together
		{errkit.Busy, true},                      // of the cause
		{errkit.Busy | errkit.Unavailable, true}, // the cause has both by itself
		{errkit.Busy | errkit.Timeout, false},    // no layer has both
		{errkit.Kind(0), false},
		{os.ErrDeadlineExceeded, true},
		{net.ErrClosed, true},
		{context.DeadlineExceeded, false},
		{context.Canceled, false},
		{io.EOF, true},
		{io.ErrUnexpectedEOF, false},
	} {
		for _, e := range []error{err, fmt.Errorf("wrapped: %w", err), errors.Join(errTest, err)} {
			if got := errors.Is(e, tc.target); got != tc.want {
				t.Errorf("errors.Is(%v, %v) is %v", e, tc.target, got)
			}
		}
	}
}

func TestInfoAs(t *testing.T) {
	t.Parallel()
	melted := &meltedError{hotError{Info: errkit.Info{Class: lampMelted}, Celsius: 900}}
	err := fmt.Errorf("wrapped: %w", melted)
	hot, ok := errors.AsType[*hotError](err)
	if !ok || hot != &melted.hotError || hot.Celsius != 900 {
		t.Errorf("as its parent it is %v", hot)
	}
	if e, ok := errors.AsType[errkit.Error](err); !ok || e.ErrorInfo() != &melted.Info {
		t.Error("as errkit.Error it has another Info")
	}
	if _, ok := errors.AsType[*errkit.Basic](err); ok {
		t.Error("it is a Basic")
	}
	if _, ok := errors.AsType[*meltedError](error(&hotError{Info: errkit.Info{Class: lampHot}})); ok {
		t.Error("the parent is its child")
	}
}

func TestInfoNetError(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		class              *errkit.Class
		timeout, temporary bool
	}{
		{lampErr, false, false},
		{lampTimeout, true, true},
		{lampHot, false, true},
		{lampGone, false, false},
	} {
		ne, ok := errors.AsType[net.Error](tc.class.Wrap("on", "", nil))
		if !ok {
			t.Fatalf("%s: no net.Error", tc.class.Code())
		}
		temporary := ne.(interface{ Temporary() bool }).Temporary()
		if ne.Timeout() != tc.timeout || temporary != tc.temporary {
			t.Errorf("%s: Timeout %v, Temporary %v", tc.class.Code(), ne.Timeout(), temporary)
		}
	}
}

// An Info without a class is no error of a module, but must not crash anything.
func TestInfoWithoutClass(t *testing.T) {
	t.Parallel()
	err := &errkit.Basic{Info: errkit.Info{Kind: errkit.Busy, Op: "on"}}
	if !errors.Is(err, errkit.Busy) || errors.Is(err, errkit.Err) || errkit.CodeOf(err) != "" {
		t.Errorf("Is or CodeOf is wrong for %v", err)
	}
	if got := err.Error(); got != "on" {
		t.Errorf("text %q", got)
	}
	errkit.Detail(err)
	errkit.NewReport(err)
	errkit.Attr(err).Value.Resolve()
}

// Methods that loggers and encoders look for would hide the fields of the types that embed Info.
func TestInfoHasNoMethodsForPrinting(t *testing.T) {
	t.Parallel()
	for _, v := range []any{&errkit.Info{}, &errkit.Basic{}, &meltedError{}} {
		if _, ok := v.(fmt.Formatter); ok {
			t.Errorf("%T is a fmt.Formatter", v)
		}
		if _, ok := v.(slog.LogValuer); ok {
			t.Errorf("%T is a slog.LogValuer", v)
		}
		if _, ok := v.(json.Marshaler); ok {
			t.Errorf("%T is a json.Marshaler", v)
		}
		if _, ok := v.(encoding.TextMarshaler); ok {
			t.Errorf("%T is an encoding.TextMarshaler", v)
		}
	}
	if _, ok := any(&errkit.Info{}).(error); ok {
		t.Error("Info is an error: a type that forgets its Error method would compile")
	}
}

// uncomparable is an error that panics if it is compared.
type uncomparable []string

func (e uncomparable) Error() string { return fmt.Sprint([]string(e)) }

func TestIsWithUncomparableErrors(t *testing.T) {
	t.Parallel()
	target := uncomparable{"a"}
	errs := []error{
		lampHot, errkit.Busy, lampHot.Wrap("on", "", uncomparable{"b"}), errors.Join(uncomparable{"c"}, lampHot),
		errkit.NewReport(lampHot.Wrap("on", "", uncomparable{"b"})).Err(),
		uncomparable{"d"},
	}
	for _, err := range errs {
		if errors.Is(err, target) {
			t.Errorf("%v matches", err)
		}
		errkit.KindOf(err)
		errkit.Classify(err)
		errkit.CleanCause(err)
		errkit.Transient(err)
		errkit.Detail(err)
	}
}
