package errkit_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

func TestClass(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		class             *errkit.Class
		code, text, error string
		parent            *errkit.Class
		kind              errkit.Kind
	}{
		{errkit.Err, "fieldlink", "error", "fieldlink: error", nil, 0},
		{lampErr, "lamp", "", "lamp", errkit.Err, 0},
		{lampHot, "lamp.hot", "too hot", "lamp: too hot", lampErr, errkit.Unavailable},
		{lampMelted, "lamp.hot.melted", "melted", "lamp: melted", lampHot, errkit.Unavailable | errkit.Internal},
	} {
		if got := tc.class.Code(); got != tc.code {
			t.Errorf("code %q, want %q", got, tc.code)
		}
		if got := tc.class.Text(); got != tc.text {
			t.Errorf("%s: text %q, want %q", tc.code, got, tc.text)
		}
		if got := tc.class.Error(); got != tc.error {
			t.Errorf("%s: error %q, want %q", tc.code, got, tc.error)
		}
		if got := tc.class.Parent(); got != tc.parent {
			t.Errorf("%s: parent %v, want %v", tc.code, got, tc.parent)
		}
		if got := tc.class.Kind(); got != tc.kind {
			t.Errorf("%s: kinds %v, want %v", tc.code, got, tc.kind)
		}
	}
}

func TestClassIs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err, target error
		want        bool
	}{
		{lampMelted, lampMelted, true},
		{lampMelted, lampHot, true},
		{lampMelted, lampErr, true},
		{lampMelted, errkit.Err, true},
		{lampHot, lampMelted, false},
		{lampHot, lampBroken, false},
		{lampErr, lampHot, false},
		{errkit.Err, lampErr, false},
		{lampMelted, errkit.Unavailable | errkit.Internal, true},
		{lampMelted, errkit.Busy, false},
		{lampMelted, errkit.Kind(0), false},
		{lampMelted, (*errkit.Class)(nil), false},
		{lampTimeout, os.ErrDeadlineExceeded, true},
		{lampTimeout, context.DeadlineExceeded, false},
		{lampClosed, net.ErrClosed, true},
		{lampHot, net.ErrClosed, false},
	} {
		if got := errors.Is(tc.err, tc.target); got != tc.want {
			t.Errorf("errors.Is(%v, %v) is %v", tc.err, tc.target, got)
		}
	}
}

var (
	namesErr   = errkit.NewClass("names", "", 0)
	namesTaken = namesErr.New("taken4", "", 0)
	namesAgain = namesTaken.New("taken4", "", 0)
)

func TestClassNames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		make func()
		want string
	}{
		{"duplicate child", func() { namesErr.New("taken4", "", 0) }, "duplicate class name taken4 below names"},
		{"duplicate module", func() { errkit.NewClass("lamp", "", 0) }, "duplicate class name lamp below fieldlink"},
		{"empty", func() { namesErr.New("", "", 0) }, "illegal class name"},
		{"dot", func() { namesErr.New("a.b", "", 0) }, "illegal class name"},
		{"upper case", func() { namesErr.New("Ab", "", 0) }, "illegal class name"},
		{"digit first", func() { namesErr.New("1a", "", 0) }, "illegal class name"},
		{"hyphen", func() { errkit.NewClass("a-b", "", 0) }, "illegal class name"},
		{"not ASCII", func() { errkit.NewClass("é", "", 0) }, "illegal class name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tc.want) {
					t.Errorf("it panics with %q, want %q", got, tc.want)
				}
			}()
			tc.make()
		})
	}
	if got := namesTaken.Code(); got != "names.taken4" {
		t.Errorf("a legal name gives %q", got)
	}
	if got := namesAgain.Code(); got != "names.taken4.taken4" {
		t.Errorf("the same name below another class gives %q", got)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	cause := fmt.Errorf("reading: %w", errors.Join(os.ErrDeadlineExceeded, errkit.Busy))
	err := lampHot.Wrap("on", "kitchen", cause)
	basic, ok := err.(*errkit.Basic)
	if !ok {
		t.Fatalf("it is a %T", err)
	}
	want := errkit.Info{Class: lampHot, Op: "on", Target: "kitchen", Kind: errkit.Timeout, Err: cause}
	if basic.Info != want {
		t.Errorf("got  %+v\nwant %+v", basic.Info, want)
	}
	if got, want := err.Error(), "lamp: on kitchen: too hot: reading: i/o timeout busy"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if err := lampHot.Wrap("", "", nil); errors.Unwrap(err) != nil || err.Error() != "lamp: too hot" {
		t.Errorf("without anything it is %v", err)
	}
}

func TestErrorf(t *testing.T) {
	t.Parallel()
	err := lampBroken.Errorf("on", "socket %d: %w, %w", 7, os.ErrDeadlineExceeded, errTest)
	if got, want := err.Error(), "lamp: on: broken: socket 7: i/o timeout, test"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	for _, target := range []error{lampBroken, errTest, os.ErrDeadlineExceeded, errkit.Timeout} {
		if !errors.Is(err, target) {
			t.Errorf("it does not match %v", target)
		}
	}
	if err := lampBroken.Errorf("", "%s", "50% dark"); err.Error() != "lamp: broken: 50% dark" {
		t.Errorf("without op it is %v", err)
	}
}

var errTest = errors.New("test")
