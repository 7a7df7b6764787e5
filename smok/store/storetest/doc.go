// Package storetest has the tests that every implementation of the parts of a store must pass.
//
//	func TestLog(t *testing.T) {
//		storetest.Log(t, func(t *testing.T) storetest.Open[store.Log] {
//			dir := t.TempDir()
//			return func() (store.Log, error) { return mylog.Open(dir) }
//		}, true)
//	}
package storetest

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Open opens a part of a store. It is called again after the part was closed, and then must find what was there if it is
// durable.
type Open[T any] func() (T, error)

// row is one rule.
type row[T any] struct {
	name    string
	durable bool // whether it is about parts that are durable
	test    func(t *testing.T, open Open[T])
}

// run tests all rules, each on a part of its own.
func run[T interface{ Close() error }](t *testing.T, place func(t *testing.T) Open[T], durable bool, rows []row[T]) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if r.durable && !durable {
				t.Skip("not durable")
			}
			r.test(t, place(t))
		})
	}
}

// start opens a part, and closes it at the end of the test.
func start[T interface{ Close() error }](t *testing.T, open Open[T]) T {
	t.Helper()
	part, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = part.Close() }) // the test has closed it if that matters
	return part
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wants checks the kind of an error.
func wants(t *testing.T, what string, err error, kind errkit.Kind) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: %v, want an error of kind %v", what, err, kind)
	}
}

func same[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// canceled returns a context that is done.
func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
