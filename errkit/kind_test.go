package errkit_test

import (
	"errors"
	"net"
	"os"
	"slices"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// everyKind lists the kinds with their names.
var everyKind = []struct {
	kind errkit.Kind
	name string
}{
	{errkit.Canceled, "canceled"},
	{errkit.Timeout, "timeout"},
	{errkit.Connection, "connection"},
	{errkit.Disconnected, "disconnected"},
	{errkit.Closed, "closed"},
	{errkit.NotReady, "notready"},
	{errkit.Auth, "auth"},
	{errkit.Denied, "denied"},
	{errkit.Invalid, "invalid"},
	{errkit.NotFound, "notfound"},
	{errkit.Conflict, "conflict"},
	{errkit.Busy, "busy"},
	{errkit.RateLimited, "ratelimited"},
	{errkit.Unavailable, "unavailable"},
	{errkit.Full, "full"},
	{errkit.Protocol, "protocol"},
	{errkit.TooLarge, "toolarge"},
	{errkit.Unsupported, "unsupported"},
	{errkit.Internal, "internal"},
	{errkit.Exhausted, "exhausted"},
	{errkit.NotSent, "notsent"},
}

func TestKindNames(t *testing.T) {
	t.Parallel()
	var all errkit.Kind
	var names []string
	for i, k := range everyKind {
		if k.kind != 1<<i {
			t.Errorf("%s is %#x, want bit %d: the values are part of the interface", k.name, uint32(k.kind), i)
		}
		if got := k.kind.Error(); got != k.name {
			t.Errorf("Error is %q, want %q", got, k.name)
		}
		if got := k.kind.Names(); !slices.Equal(got, []string{k.name}) {
			t.Errorf("Names is %q, want %q", got, k.name)
		}
		if got := errkit.KindFromNames(k.name); got != k.kind {
			t.Errorf("KindFromNames(%q) is %v", k.name, got)
		}
		all |= k.kind
		names = append(names, k.name)
	}
	if got := all.Names(); !slices.Equal(got, names) {
		t.Errorf("all names are %q, want %q", got, names)
	}
	if got := errkit.KindFromNames(all.Names()...); got != all {
		t.Errorf("all names give %v, want %v", got, all)
	}
	if got := errkit.KindFromNames("timeout", "colour", "", "TIMEOUT", "busy"); got != errkit.Timeout|errkit.Busy {
		t.Errorf("with unknown names: %v", got)
	}
}

func TestKindError(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind errkit.Kind
		want string
	}{
		{0, "unknown"},
		{errkit.Timeout | errkit.Connection, "timeout|connection"},
		{errkit.NotSent | errkit.Canceled, "canceled|notsent"},
		{1 << 31, "unknown"},
		{1<<31 | errkit.Busy, "busy"},
	} {
		if got := tc.kind.Error(); got != tc.want {
			t.Errorf("%#x is %q, want %q", uint32(tc.kind), got, tc.want)
		}
		if tc.kind.String() != tc.kind.Error() {
			t.Errorf("String is %q", tc.kind.String())
		}
	}
}

func TestKindHas(t *testing.T) {
	t.Parallel()
	const both = errkit.Timeout | errkit.Connection
	for _, tc := range []struct {
		k, o errkit.Kind
		want bool
	}{
		{both, errkit.Timeout, true},
		{both, both, true},
		{errkit.Timeout, both, false},
		{both, 0, false},
		{0, 0, false},
		{both, errkit.Busy, false},
	} {
		if got := tc.k.Has(tc.o); got != tc.want {
			t.Errorf("%v has %v: %v", tc.k, tc.o, got)
		}
		if got := errors.Is(tc.k, tc.o); got != tc.want && tc.k != tc.o {
			t.Errorf("errors.Is(%v, %v): %v", tc.k, tc.o, got)
		}
	}
}

func TestKindIsStandard(t *testing.T) {
	t.Parallel()
	if !errors.Is(errkit.Timeout|errkit.Busy, os.ErrDeadlineExceeded) || errors.Is(errkit.Busy, os.ErrDeadlineExceeded) {
		t.Error("os.ErrDeadlineExceeded does not follow Timeout")
	}
	if !errors.Is(errkit.Closed, net.ErrClosed) || errors.Is(errkit.Timeout, net.ErrClosed) {
		t.Error("net.ErrClosed does not follow Closed")
	}
}
