package errkit_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// One error value may be returned to many goroutines; the race detector sees whether any of them writes.
func TestSharedError(t *testing.T) {
	t.Parallel()
	hot := &meltedError{hotError{Info: errkit.Info{Class: lampMelted, Op: "on", Err: errRefused}, Celsius: 900}}
	for name, err := range map[string]error{
		"typed": hot, "wrapped": fmt.Errorf("x: %w", hot), "joined": errors.Join(hot, errTest, lampHot),
		"reported": errkit.NewReport(hot).Err(), "basic": lampHot.Wrap("on", "", hot),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := everything(err)
			var group sync.WaitGroup
			for range 16 {
				group.Go(func() {
					if got := everything(err); got != want {
						t.Errorf("got\n%s\nwant\n%s", got, want)
					}
				})
			}
			group.Wait()
		})
	}
}

// everything asks err all that can be asked.
func everything(err error) string {
	var b strings.Builder
	hot, ok := errors.AsType[*hotError](err)
	fmt.Fprintln(&b, err, ok && hot.Celsius == 900, errors.Is(err, lampErr), errors.Is(err, errkit.Busy))
	fmt.Fprintln(&b, errkit.KindOf(err), errkit.Classify(err), errkit.CodeOf(err), errkit.Transient(err))
	fmt.Fprintln(&b, errkit.Detail(err))
	slog.New(slog.NewJSONHandler(&b, withoutTime)).Warn("x", errkit.Attr(err))
	fmt.Fprintf(&b, "%+v", errkit.NewReport(err).Err())
	return b.String()
}

// Classes are made by package variables, but nothing forbids to make them elsewhere.
func TestSharedClass(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			defer func() { _ = recover() }() // the name is taken when the tests run a second time
			sharedErr.New("c"+strings.Repeat("x", i), "", 0)
		})
	}
	group.Wait()
}

var sharedErr = errkit.NewClass("shared", "", 0)
