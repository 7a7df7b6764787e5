package errkit_test

import (
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
)

func TestCloseKind(t *testing.T) {
	t.Parallel()
	named := map[int]errkit.Kind{
		1000: 0,
		1001: errkit.Unavailable,
		1002: errkit.Protocol,
		1003: errkit.Unsupported,
		1004: errkit.Protocol,
		1005: 0,
		1006: errkit.Connection,
		1007: errkit.Protocol,
		1008: errkit.Denied,
		1009: errkit.TooLarge,
		1010: errkit.Unsupported,
		1011: errkit.Internal,
		1012: errkit.Unavailable,
		1013: errkit.Unavailable | errkit.Busy,
		1014: errkit.Unavailable,
		1015: errkit.Connection,
		3000: errkit.Auth,
		3003: errkit.Denied,
		3008: errkit.Timeout,
	}
	for code := -1; code <= 5100; code++ {
		want, isNamed := named[code]
		if !isNamed && (code < 3000 || code > 4999) {
			want = errkit.Protocol
		}
		if got := errkit.CloseKind(code); got != want|errkit.Disconnected {
			t.Errorf("%d is %v, want %v", code, got, want|errkit.Disconnected)
		}
	}
}
