package redact

import (
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Error hides the given secrets in the text of err. If neither err nor anything below it contains one of them,
// it returns err itself. Otherwise it returns an error whose text has "***" in their place; errors.Is and
// errors.As see through to err, errors.Unwrap does not, and package errkit judges it as it judges err.
//
// A secret is found in any letter case, percent-encoded, quoted and in Base64, also as a part of it. Secrets
// shorter than 4 bytes are ignored: they would hide ordinary words.
//
// errors.As gives the caller the original error, whose text is not redacted. An error that came from a client of
// package net/http is best cleaned by [errkit.CleanCause] first.
func Error(err error, secrets ...string) error {
	m := newMasker(secrets)
	if len(m.patterns) == 0 {
		return err
	}
	for layer := range errkit.Walk(err) {
		if m.finds(layer.Error()) {
			return &maskedError{original: &err, text: m.mask(err.Error())}
		}
	}
	return err
}

// maskedError is an error with its text redacted. Its methods beyond Error answer for the original.
type maskedError struct {
	original *error // a pointer, since %#v prints what it can reach
	text     string
}

func (e *maskedError) Error() string { return e.text }

func (e *maskedError) Is(target error) bool { return errors.Is(*e.original, target) }

func (e *maskedError) As(target any) bool { return errors.As(*e.original, target) }

// Kinds, ClassCode, Transient and RetryAfter are what package errkit asks.
func (e *maskedError) Kinds() errkit.Kind { return errkit.KindOf(*e.original) }

func (e *maskedError) ClassCode() string { return errkit.CodeOf(*e.original) }

func (e *maskedError) Transient() bool { return errkit.Transient(*e.original) }

func (e *maskedError) RetryAfter() time.Duration {
	d, _ := errkit.RetryAfter(*e.original)
	return d
}
