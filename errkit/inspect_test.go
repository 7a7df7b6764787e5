package errkit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

const refused = errkit.Connection | errkit.NotSent

func TestKindOf(t *testing.T) {
	t.Parallel()
	hot := &hotError{Info: errkit.Info{Class: lampHot}}
	for _, tc := range []struct {
		name string
		err  error
		want errkit.Kind
	}{
		{"nil", nil, 0},
		{"unknown", errTest, 0},
		{"class and error", &hotError{Info: errkit.Info{Class: lampHot, Kind: errkit.Busy}}, errkit.Unavailable | errkit.Busy},
		{"class alone", lampHot, errkit.Unavailable},
		{"kind alone", errkit.Busy | errkit.Full, errkit.Busy | errkit.Full},
		{"wrapped", fmt.Errorf("x: %w", hot), errkit.Unavailable},
		{"the outer one judges", lampGone.Wrap("", "", lampTimeout.Wrap("", "", nil)), errkit.Connection | errkit.Exhausted | errkit.Timeout},
		{"the outer one judges, not the cause", &hotError{Info: errkit.Info{Class: lampGone, Err: hot}}, errkit.Connection | errkit.Exhausted},
		{"the outer one has none", &hotError{Info: errkit.Info{Class: lampBroken, Err: hot}}, errkit.Unavailable},
		{"none has any", &hotError{Info: errkit.Info{Class: lampBroken, Err: errTest}}, 0},
		{"foreign", errRefused, refused},
		{"foreign below one without", &hotError{Info: errkit.Info{Class: lampBroken, Err: errRefused}}, refused},
		{"foreign below one with", &hotError{Info: errkit.Info{Class: lampHot, Err: errRefused}}, errkit.Unavailable},
		{"context", fmt.Errorf("x: %w", context.Canceled), errkit.Canceled},
		{"joined", errors.Join(hot, errTest, errRefused), errkit.Unavailable | refused},
		{"joined below", fmt.Errorf("x: %w", errors.Join(hot, io.EOF)), errkit.Unavailable | errkit.Disconnected},
		{"joined below one without", &hotError{Info: errkit.Info{Class: lampBroken, Err: errors.Join(hot, io.EOF)}}, errkit.Unavailable | errkit.Disconnected},
		{"joined below one with", &hotError{Info: errkit.Info{Class: lampHot, Err: errors.Join(io.EOF)}}, errkit.Unavailable},
		{"two causes", fmt.Errorf("%w and %w", hot, errkit.Busy), errkit.Unavailable | errkit.Busy},
		{"several levels joined", errors.Join(errors.Join(hot), errors.Join(nil, errkit.Full)), errkit.Unavailable | errkit.Full},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := errkit.KindOf(tc.err); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	hot := &hotError{Info: errkit.Info{Class: lampHot}}
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"nil", nil, ""},
		{"unknown", errTest, ""},
		{"kind", errkit.Busy, ""},
		{"class", lampHot, "lamp.hot"},
		{"typed", hot, "lamp.hot"},
		{"wrapped", fmt.Errorf("x: %w", hot), "lamp.hot"},
		{"outermost", lampGone.Wrap("", "", hot), "lamp.gone"},
		{"joined", errors.Join(errTest, hot, lampGone), "lamp.hot"},
		{"reported", fmt.Errorf("x: %w", errkit.NewReport(hot).Err()), "lamp.hot"},
	} {
		if got := errkit.CodeOf(tc.err); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

// stubborn is an error that judges for itself whether to try again.
type stubborn struct {
	errkit.Info
	transient bool
}

func (e *stubborn) Error() string   { return errkit.Message(&e.Info, "") }
func (e *stubborn) Transient() bool { return e.transient }

func TestTransient(t *testing.T) {
	t.Parallel()
	passing := map[errkit.Kind]bool{
		errkit.Timeout: true, errkit.Connection: true, errkit.Disconnected: true, errkit.Busy: true,
		errkit.RateLimited: true, errkit.Unavailable: true, errkit.Full: true,
	}
	neutral := map[errkit.Kind]bool{errkit.Internal: true, errkit.NotSent: true}
	for _, k := range everyKind {
		if got := errkit.Transient(k.kind); got != passing[k.kind] {
			t.Errorf("%s is transient: %v", k.name, got)
		}
		// One kind that lasts spoils those that pass.
		want := passing[k.kind] || neutral[k.kind]
		if got := errkit.Transient(k.kind | errkit.Busy); got != want {
			t.Errorf("%s with busy is transient: %v, want %v", k.name, got, want)
		}
	}
	yes, no := &stubborn{transient: true}, &stubborn{transient: false}
	for _, tc := range []struct {
		name string
		err  error
		want bool
	}{
		{"nil", nil, false},
		{"unknown", errTest, false},
		{"wrapped", fmt.Errorf("x: %w", lampHot.Wrap("", "", nil)), true},
		{"refused", errRefused, true},
		{"refused name of certificate", errkit.Connection | errkit.Auth, false},
		{"given up", lampGone.Wrap("", "", errkit.Busy), false},
		{"the caller gave up", fmt.Errorf("x: %w", context.Canceled), false},
		{"the caller's deadline", context.DeadlineExceeded, true},
		{"own method", &stubborn{Info: errkit.Info{Class: lampClosed}, transient: true}, true},
		{"own method, wrapped", fmt.Errorf("x: %w", &stubborn{Info: errkit.Info{Class: lampHot}}), false},
		{"the outer one judges by kinds", &hotError{Info: errkit.Info{Class: lampGone, Err: yes}}, false},
		{"the outer one judges by kinds, too", &hotError{Info: errkit.Info{Class: lampHot, Err: no}}, true},
		{"the outer one does not judge", &hotError{Info: errkit.Info{Class: lampBroken, Err: yes}}, true},
		{"foreign above", &net.OpError{Op: "dial", Err: no}, false},
		{"joined, all", errors.Join(lampHot, errkit.Busy, nil, yes), true},
		{"joined, one not", errors.Join(lampHot, errkit.Invalid), false},
		{"joined, one unknown", errors.Join(lampHot, errTest), false},
		{"joined, one by its method", errors.Join(lampHot, no), false},
		{"joined twice", errors.Join(errors.Join(lampHot, errkit.Busy), errors.Join(errkit.Full, no)), false},
		{"joined, below one that judges", &hotError{Info: errkit.Info{Class: lampHot, Err: errors.Join(no, errTest)}}, true},
		{"reported", errkit.NewReport(yes).Err(), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := errkit.Transient(tc.err); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	after := func(d time.Duration, cause error) error {
		return &hotError{Info: errkit.Info{Class: lampHot, RetryAfter: d, Err: cause}}
	}
	for _, tc := range []struct {
		name string
		err  error
		want time.Duration
	}{
		{"nil", nil, 0},
		{"unknown", errTest, 0},
		{"none", after(0, nil), 0},
		{"negative", after(-time.Second, nil), 0},
		{"own", after(time.Second, nil), time.Second},
		{"wrapped", fmt.Errorf("x: %w", after(time.Second, nil)), time.Second},
		{"the first positive one", after(0, after(time.Second, after(time.Minute, nil))), time.Second},
		{"joined", errors.Join(errTest, after(0, nil), after(time.Minute, nil)), time.Minute},
		{"reported", errkit.NewReport(after(time.Minute, nil)).Err(), time.Minute},
	} {
		got, ok := errkit.RetryAfter(tc.err)
		if got != tc.want || ok != (tc.want > 0) {
			t.Errorf("%s: got %v, %v, want %v", tc.name, got, ok, tc.want)
		}
	}
}
