package errkit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// newHotError builds an error the way a module does.
func newHotError(target string, cause error) error {
	return &hotError{
		Info:    errkit.Info{Class: lampHot, Op: "on", Target: target, Kind: errkit.TransportKind(cause), Err: errkit.CleanCause(cause)},
		Celsius: 90,
	}
}

func BenchmarkBuild(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = newHotError("kitchen", errRefused)
	}
}

func BenchmarkIs(b *testing.B) {
	err := fmt.Errorf("x: %w", newHotError("kitchen", errRefused))
	for _, bc := range []struct {
		name   string
		target error
	}{
		{"kind", errkit.Unavailable},
		{"class", lampHot},
		{"module", lampErr},
		{"absent", lampBroken},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = errors.Is(err, bc.target)
			}
		})
	}
}

func BenchmarkAsType(b *testing.B) {
	err := fmt.Errorf("x: %w", newHotError("kitchen", errRefused))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = errors.AsType[*hotError](err)
	}
}

func BenchmarkClassify(b *testing.B) {
	for _, bc := range []struct {
		name string
		err  error
	}{
		{"refused", errRefused},
		{"deadline", fmt.Errorf("x: %w", context.DeadlineExceeded)},
		{"typed", fmt.Errorf("x: %w", newHotError("kitchen", errRefused))},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = errkit.Classify(bc.err)
			}
		})
	}
}

func BenchmarkKindOf(b *testing.B) {
	err := fmt.Errorf("x: %w", newHotError("kitchen", errRefused))
	b.ReportAllocs()
	for b.Loop() {
		_ = errkit.KindOf(err)
	}
}

func BenchmarkTransient(b *testing.B) {
	err := fmt.Errorf("x: %w", newHotError("kitchen", errRefused))
	b.ReportAllocs()
	for b.Loop() {
		_ = errkit.Transient(err)
	}
}

func BenchmarkError(b *testing.B) {
	err := newHotError("kitchen", errRefused)
	b.ReportAllocs()
	for b.Loop() {
		_ = err.Error()
	}
}
