package errkit_test

import (
	"log/slog"
	"strconv"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// The tree that the tests use: a module for lamps.
var (
	lampErr     = errkit.NewClass("lamp", "", 0)
	lampHot     = lampErr.New("hot", "too hot", errkit.Unavailable)
	lampBroken  = lampErr.New("broken", "broken", 0)
	lampMelted  = lampHot.New("melted", "melted", errkit.Internal)
	lampGone    = lampErr.New("gone", "gone", errkit.Connection|errkit.Exhausted)
	lampClosed  = lampErr.New("closed", "closed", errkit.Closed|errkit.NotSent)
	lampTimeout = lampErr.New("timeout", "timeout", errkit.Timeout)
)

// hotError reports a lamp that must cool down first.
type hotError struct {
	errkit.Info
	Celsius int
}

func (e *hotError) Error() string {
	return errkit.Message(&e.Info, strconv.Itoa(e.Celsius)+" °C")
}

func (e *hotError) ErrorAttrs() []slog.Attr { return []slog.Attr{slog.Int("celsius", e.Celsius)} }

// meltedError is a hotError.
type meltedError struct{ hotError }

func (e *meltedError) As(target any) bool {
	p, ok := target.(**hotError)
	if ok {
		*p = &e.hotError
	}
	return ok
}
