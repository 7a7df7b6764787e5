//go:build !js

package wsclient

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// refusal is an upgrade that was answered with status.
func refusal(status int, header http.Header) error {
	e := &HandshakeError{StatusCode: status, Header: header}
	e.Info = errkit.Info{
		Class: wserr.HandshakeClass(status), Op: "connect", Target: testURL, Kind: errkit.HTTPKind(status),
	}
	e.URL = testURL
	e.RetryAfter, _ = errkit.ParseRetryAfter(header.Get("Retry-After"), time.Now())
	return e
}

// statuses is the table of answers to the upgrade.
var statuses = map[Action][]int{
	RefreshAuth: {401, 403, 407},
	GiveUp: {
		300, 301, 302, 303, 304, 305, 307, 308,
		400, 402, 404, 405, 406, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 424, 426, 428, 431, 451,
		501, 505, 506,
	},
	Retry: {
		100, 200, 202, 204, 226,
		408, 423, 425, 429,
		500, 502, 503, 504, 507, 508, 509, 510, 511, 520, 521, 522, 523, 524, 525, 526, 527, 530, 599,
	},
}

func TestHandshakeTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for action, list := range statuses {
			for _, status := range list {
				if got := handshakeDecision(status); got != (Decision{Action: action}) {
					t.Errorf("%d: %+v, want %v", status, got, action)
				}
				p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{})
				p.next()
				err := p.failed(refusal(status, nil)).err
				if action == Retry {
					if err != nil {
						t.Errorf("%d: %v", status, err)
					}
					continue
				}
				if e, ok := errors.AsType[*HandshakeError](err); !ok || e.StatusCode != status || e.Attempts != 1 {
					t.Errorf("%d: %#v", status, err)
				}
			}
		}
	})
}

func TestRC11RetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
		for _, c := range []struct {
			value string
			limit time.Duration
			want  time.Duration
		}{
			{"7", 0, 7 * time.Second},
			{date(7 * time.Second), 0, 7 * time.Second},
			{"1", 0, 2 * time.Second}, // the strategy's own is longer
			{"abc", 0, 2 * time.Second},
			{"-5", 0, 2 * time.Second},
			{date(-time.Hour), 0, 2 * time.Second},
			{"", 0, 2 * time.Second},
			{"1000000000", 0, 5 * time.Minute},
			{"1000000000", time.Hour, time.Hour},
			{"7", -1, 2 * time.Second},
		} {
			for _, status := range []int{408, 425, 429, 500, 503, 520} {
				p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{
					Backoff: retry.Backoff{Base: 2 * time.Second, Jitter: retry.JitterNone, MaxRetryAfter: c.limit},
				})
				p.next()
				if v := p.failed(refusal(status, http.Header{"Retry-After": {c.value}})); v.delay != c.want || v.err != nil {
					t.Errorf("%d, %q: %+v, want %v", status, c.value, v, c.want)
				}
			}
		}
	})
}

func TestRC12ServiceUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{})
		if delays, err := refuse(p, 3, refusal(503, nil)); len(delays) != 3 {
			t.Errorf("%v", err)
		}
		if n := p.next().Number; n != 4 {
			t.Errorf("attempt %d, want 4", n)
		}
	})
}

func TestRC13Refresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unauthorized := refusal(401, nil)
		fresh := func() *policy { return withRefresh(t, EndpointOptions{}, ReconnectOptions{Backoff: steady}, true) }
		// try makes the next attempt, with the refresh before it if there is to be one.
		try := func(p *policy, refresh bool, err error) verdict {
			t.Helper()
			s := p.next()
			if s.refresh != refresh {
				t.Errorf("attempt %d: refresh %v, want %v", s.Number, s.refresh, refresh)
			}
			if s.refresh {
				p.refreshed()
			}
			if err == nil {
				p.connected()
				return verdict{}
			}
			return p.failed(err)
		}
		for _, status := range []int{401, 403, 407} {
			p := fresh()
			if v := try(p, false, refusal(status, nil)); v != (verdict{}) {
				t.Errorf("%d: %+v, want another attempt at once", status, v)
			}
			err := try(p, true, refusal(status, nil)).err
			if e, ok := errors.AsType[*HandshakeError](err); !ok || e.StatusCode != status || e.Attempts != 2 {
				t.Errorf("%d twice: %#v", status, err)
			}
		}

		p := fresh()
		try(p, false, unauthorized)
		try(p, true, nil)
		if v := p.lost(CloseInfo{Code: 3000, Remote: true, Err: unauthorized}); v.err == nil {
			t.Error("a connection that is accepted with new credentials and closed for them does not end it")
		}

		p = fresh()
		try(p, false, unauthorized)
		try(p, true, nil)
		time.Sleep(time.Minute)
		if v := p.lost(CloseInfo{Code: 4401, Remote: true}); v != (verdict{}) {
			t.Errorf("credentials that were good for a while: %+v", v)
		}
		if v := try(p, true, unauthorized); v.err == nil {
			t.Error("refused twice, and it goes on")
		}

		p = fresh()
		try(p, false, unauthorized)
		try(p, true, errRefused)
		if v := try(p, false, unauthorized); v.err != nil {
			t.Errorf("refused twice, but not in a row: %v", v.err)
		}

		// A refresh that fails is repeated, as any attempt that fails, and later.
		p = fresh()
		try(p, false, unauthorized)
		p.next()
		if v := p.failed(callbackFailed("Dial.AuthRefresh", testURL, unauthorized)); v.err != nil || v.delay != time.Second {
			t.Errorf("failed refresh: %+v", v)
		}
		if v := try(p, true, nil); v.err != nil {
			t.Error(v.err)
		}
	})
}
