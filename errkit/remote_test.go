package errkit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

func TestRemoteIs(t *testing.T) {
	t.Parallel()
	remote := func(class string, kinds ...string) error {
		return (&errkit.Report{Class: class, Kinds: kinds}).Err()
	}
	for _, tc := range []struct {
		name   string
		err    error
		target error
		want   bool
	}{
		{"the class", remote("lamp.hot"), lampHot, true},
		{"the class above", remote("lamp.hot"), lampErr, true},
		{"the root", remote("lamp.hot"), errkit.Err, true},
		{"a class that is unknown here", remote("lamp.hot.molten.steel"), lampHot, true},
		{"a module that is unknown here", remote("stove.hot"), errkit.Err, true},
		{"a class below", remote("lamp.hot"), lampMelted, false},
		{"a longer name", remote("lamp.hotter"), lampHot, false},
		{"another module", remote("lampshade.hot"), lampErr, false},
		{"no class", remote("", "timeout"), errkit.Err, false},
		{"no class, nil class", remote(""), (*errkit.Class)(nil), false},
		{"kind", remote("", "timeout", "busy"), errkit.Timeout, true},
		{"both kinds", remote("", "timeout", "busy"), errkit.Timeout | errkit.Busy, true},
		{"another kind", remote("lamp.hot", "timeout"), errkit.Unavailable, false},
		{"no kind", remote("lamp.hot"), errkit.Kind(0), false},
		{"timeout", remote("", "timeout"), os.ErrDeadlineExceeded, true},
		{"timeout is not the caller's", remote("", "timeout"), context.DeadlineExceeded, false},
		{"closed", remote("", "closed"), net.ErrClosed, true},
		{"not closed", remote("", "timeout"), net.ErrClosed, false},
		{"a cause", (&errkit.Report{Causes: []*errkit.Report{nil, {Class: "lamp.hot"}}}).Err(), lampHot, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := errors.Is(fmt.Errorf("x: %w", tc.err), tc.target); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestRemote(t *testing.T) {
	t.Parallel()
	err := &hotError{
		Info:    errkit.Info{Class: lampHot, Op: "on", RetryAfter: time.Minute, Err: lampTimeout.Wrap("ask", "", nil)},
		Celsius: 90,
	}
	there := travel(t, fmt.Errorf("upstairs: %w", err))
	remote, ok := errors.AsType[*errkit.Remote](fmt.Errorf("x: %w", there))
	if !ok {
		t.Fatalf("it is a %T", there)
	}
	if got, want := remote.Error(), "upstairs: "+err.Error(); got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if remote.Report.Fields["celsius"] != 90.0 || remote.Report.Op != "on" {
		t.Errorf("fields %v, op %q", remote.Report.Fields, remote.Report.Op)
	}
	if ne, ok := errors.AsType[net.Error](there); !ok || ne.Timeout() {
		t.Error("it is no net.Error, or a timeout")
	}
	if d, ok := errkit.RetryAfter(there); d != time.Minute || !ok {
		t.Errorf("RetryAfter is %v, %v", d, ok)
	}
	if !errkit.Transient(there) || !errors.Is(there, errkit.Timeout) || errkit.KindOf(there) != errkit.Unavailable {
		t.Errorf("transient %v, kinds %v", errkit.Transient(there), errkit.KindOf(there))
	}
	count := 0
	for range errkit.All[*errkit.Remote](there) {
		count++
	}
	if count != 2 {
		t.Errorf("it has %d layers", count)
	}
	if _, ok := errors.AsType[*hotError](there); ok {
		t.Error("it became a hotError")
	}
	if e, ok := errors.AsType[errkit.Error](there); ok {
		t.Errorf("it is a typed error: %T", e)
	}
}

func TestRemoteText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		report errkit.Report
		want   string
	}{
		{errkit.Report{Message: "m"}, "m"},
		{errkit.Report{Message: "a\r\nb\x1b[0m"}, "a  b [0m"},
		{errkit.Report{Class: "lamp.hot", Kinds: []string{"busy", "purple"}}, "lamp.hot: busy"},
		{errkit.Report{Class: "lamp.hot"}, "lamp.hot: unknown"},
		{errkit.Report{}, "unknown"},
		{errkit.Report{Message: strings.Repeat("x", 5000)}, strings.Repeat("x", 1021) + "…"},
	} {
		if got := tc.report.Err().Error(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

// Nothing becomes safe to repeat by being reported, and no layer matches more kinds than it did.
func TestRemoteIsNoMoreThanTheOriginal(t *testing.T) {
	t.Parallel()
	sent := &hotError{Info: errkit.Info{Class: lampTimeout, Err: errRefused}} // the module knows better than its cause
	quiet := &hotError{Info: errkit.Info{Class: lampBroken, Err: errRefused}}
	for name, err := range map[string]error{
		"a cause that was not sent":                   sent,
		"wrapped":                                     fmt.Errorf("x: %w", sent),
		"joined":                                      errors.Join(sent, errRefused),
		"joined with one that says nothing":           errors.Join(errTest, quiet),
		"a cause below a layer without kinds":         quiet,
		"a cause that has two":                        &hotError{Info: errkit.Info{Class: lampHot, Err: errors.Join(errRefused, io.EOF)}},
		"a typed cause that was not sent":             lampErr.Wrap("on", "", lampClosed.Wrap("", "", nil)),
		"given up after a refused dial":               &hotError{Info: errkit.Info{Class: lampGone, Err: errRefused}},
		"given up after a refused dial that is typed": &hotError{Info: errkit.Info{Class: lampGone, Err: lampClosed.Wrap("", "", errRefused)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there := travel(t, err)
			if got, want := errors.Is(there, errkit.NotSent), errors.Is(err, errkit.NotSent); got != want {
				t.Errorf("NotSent is %v, here it was %v", got, want)
			}
			if got, want := errkit.Transient(there), errkit.Transient(err); got != want {
				t.Errorf("transient is %v, here it was %v", got, want)
			}
			if got, want := errkit.KindOf(there)|errkit.NotSent, errkit.KindOf(err)|errkit.NotSent; got != want {
				t.Errorf("KindOf is %v, here it was %v", got, want)
			}
		})
	}
}
