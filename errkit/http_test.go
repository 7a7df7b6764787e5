package errkit_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

func TestHTTPKind(t *testing.T) {
	t.Parallel()
	named := map[int]errkit.Kind{
		400: errkit.Invalid, 417: errkit.Invalid, 418: errkit.Invalid, 422: errkit.Invalid, 499: errkit.Invalid,
		401: errkit.Auth, 407: errkit.Auth, 511: errkit.Auth,
		402: errkit.Denied, 403: errkit.Denied, 451: errkit.Denied,
		404: errkit.NotFound, 410: errkit.NotFound,
		408: errkit.Timeout, 504: errkit.Timeout,
		409: errkit.Conflict, 412: errkit.Conflict, 428: errkit.Conflict,
		423: errkit.Busy,
		429: errkit.RateLimited,
		413: errkit.TooLarge, 414: errkit.TooLarge, 431: errkit.TooLarge,
		405: errkit.Unsupported, 406: errkit.Unsupported, 415: errkit.Unsupported, 501: errkit.Unsupported, 505: errkit.Unsupported,
		425: errkit.Unavailable, 502: errkit.Unavailable, 503: errkit.Unavailable,
		500: errkit.Internal, 506: errkit.Internal, 598: errkit.Internal,
		507: errkit.Full,
		599: errkit.Connection,
		-1:  errkit.Protocol, 600: errkit.Protocol, 700: errkit.Protocol,
	}
	for status := -1; status <= 700; status++ {
		got := errkit.HTTPKind(status)
		want, isNamed := named[status]
		switch {
		case isNamed:
		case status < 400:
			want = 0
		case status < 500:
			want = errkit.Invalid
		case status < 600:
			want = errkit.Internal
		default:
			want = errkit.Protocol
		}
		if got != want {
			t.Errorf("%d is %v, want %v", status, got, want)
		}
	}
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 4, 5, 6, 7, 0, time.UTC)
	for _, tc := range []struct {
		header string
		want   time.Duration
		ok     bool
	}{
		{"0", 0, true},
		{"1", time.Second, true},
		{"0120", 2 * time.Minute, true},
		{"86400", 24 * time.Hour, true},
		{"86401", 24 * time.Hour, true},
		{"9223372036854775808", 24 * time.Hour, true},
		{"99999999999999999999999999999999999999", 24 * time.Hour, true},
		{"-1", 0, true},
		{"-99999999999999999999999999999999999999", 0, true},
		{now.Add(time.Minute).Format(http.TimeFormat), time.Minute, true},
		{now.Add(-time.Minute).Format(http.TimeFormat), 0, true},
		{now.Add(48 * time.Hour).Format(http.TimeFormat), 24 * time.Hour, true},
		{now.Add(time.Minute).Format("Monday, 02-Jan-06 15:04:05 GMT"), time.Minute, true},
		{now.Add(time.Minute).Format(time.ANSIC), time.Minute, true},
		{"Wed, 31 Dec 9999 23:59:59 GMT", 24 * time.Hour, true},
		{"", 0, false},
		{"-", 0, false},
		{"+1", 0, false},
		{"1.5", 0, false},
		{"1s", 0, false},
		{"1 ", 0, false},
		{"0x10", 0, false},
		{"soon", 0, false},
		{"2026-03-04T05:06:07Z", 0, false},
		{"١", 0, false},
	} {
		got, ok := errkit.ParseRetryAfter(tc.header, now)
		if got != tc.want || ok != tc.ok {
			t.Errorf("%q gives %v, %v, want %v, %v", tc.header, got, ok, tc.want, tc.ok)
		}
	}
}
