package minijson_test

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// diff compares decoded values. NaNs are equal; 0.0 and -0.0 are not.
func diff(want, got any) string {
	if v := reflect.ValueOf(want); v.IsValid() && (v.Kind() == reflect.Map || v.Kind() == reflect.Slice) && v.Len() > 1000 {
		if reflect.DeepEqual(want, got) { // of nulls, and much faster
			return ""
		}
	}
	return cmp.Diff(want, got,
		cmp.Comparer(func(a, b *big.Int) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }),
		cmp.Comparer(func(a, b float64) bool {
			return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
		}))
}

func wantDecodingError(t *testing.T, err error) *minijson.DecodingError {
	t.Helper()
	e, ok := errors.AsType[*minijson.DecodingError](err)
	if !ok {
		t.Fatalf("got %v, want a DecodingError", err)
	}
	for _, target := range []error{minijson.ErrDecoding, minijson.Err, errkit.Err, errkit.Protocol} {
		if !errors.Is(err, target) {
			t.Errorf("%v does not match %v", err, target)
		}
	}
	return e
}

func wantEncodingError(t *testing.T, err error) *minijson.EncodingError {
	t.Helper()
	e, ok := errors.AsType[*minijson.EncodingError](err)
	if !ok {
		t.Fatalf("got %v, want an EncodingError", err)
	}
	for _, target := range []error{minijson.ErrEncoding, minijson.Err, errkit.Err, errkit.Invalid, errkit.NotSent} {
		if !errors.Is(err, target) {
			t.Errorf("%v does not match %v", err, target)
		}
	}
	return e
}
