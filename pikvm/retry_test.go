package pikvm_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// sequence answers with these, the last one for ever, and counts the requests.
type sequence struct {
	answers  []func(http.ResponseWriter)
	requests int
}

func (s *sequence) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	s.requests++
	s.answers[min(s.requests, len(s.answers))-1](w)
}

func status(code int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { reply(w, code, body) }
}

// TestRetry checks what is repeated and what is not.
func TestRetry(t *testing.T) {
	t.Parallel()
	bad := status(http.StatusBadGateway, "")
	policy := &retry.Policy{MaxAttempts: 3}
	get := func(ctx context.Context, c *pikvm.Client) error {
		_, err := c.ATX.State(ctx)
		return err
	}
	post := func(ctx context.Context, c *pikvm.Client) error {
		return c.ATX.Power(ctx, pikvm.PowerOn, nil)
	}
	for _, tc := range []struct {
		name     string
		policy   *retry.Policy
		answers  []func(http.ResponseWriter)
		call     func(context.Context, *pikvm.Client) error
		requests int
		want     error // class or kind, nil for success
	}{
		{
			name: "off by default", answers: []func(http.ResponseWriter){bad, status(200, atxOn)}, call: get,
			requests: 1, want: errkit.Unavailable,
		},
		{
			name: "passing failure", policy: policy, call: get, requests: 3,
			answers: []func(http.ResponseWriter){bad, bad, status(200, atxOn)},
		},
		{
			name: "attempts used up", policy: policy, call: get, requests: 3, want: errkit.Exhausted,
			answers: []func(http.ResponseWriter){bad},
		},
		{
			name: "lasting failure", policy: policy, call: get, requests: 1, want: pikvm.ErrAuth,
			answers: []func(http.ResponseWriter){status(403, forbidden)},
		},
		{
			name: "malformed answer", policy: policy, call: get, requests: 1, want: pikvm.ErrResponse,
			answers: []func(http.ResponseWriter){status(200, "")},
		},
		{
			name: "press", policy: policy, call: post, requests: 1, want: errkit.Unavailable,
			answers: []func(http.ResponseWriter){bad},
		},
		{
			name: "busy press", policy: policy, call: post, requests: 1, want: pikvm.ErrBusy,
			answers: []func(http.ResponseWriter){status(409, atxBusy)},
		},
		{
			name: "budget", call: get, requests: 1, want: retry.ErrBudget,
			policy:  &retry.Policy{Budget: retry.NewBudget(&retry.BudgetOptions{Tokens: -1})},
			answers: []func(http.ResponseWriter){bad},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := netem.New(nil)
				device := &sequence{answers: tc.answers}
				serveHTTP(t, network, device.ServeHTTP)
				c := newClient(t, kvmHTTP, on(network, pikvm.Options{Retry: tc.policy}))
				err := tc.call(t.Context(), c)
				if device.requests != tc.requests {
					t.Errorf("%d requests, want %d", device.requests, tc.requests)
				}
				if !errors.Is(err, tc.want) {
					t.Errorf("error is %v, want %v", err, tc.want)
				}
				if err != nil && !errors.Is(err, pikvm.Err) {
					t.Errorf("error %v is not of the module", err)
				}
			})
		})
	}
}

// TestRetryAfter checks that the device's own wish is heeded.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		device := &sequence{answers: []func(http.ResponseWriter){
			func(w http.ResponseWriter) {
				w.Header().Set("Retry-After", "30")
				reply(w, http.StatusServiceUnavailable, "")
			},
			status(200, atxOn),
		}}
		serveHTTP(t, network, device.ServeHTTP)
		c := newClient(t, kvmHTTP, on(network, pikvm.Options{Retry: &retry.Policy{}}))
		begin := time.Now()
		if _, err := c.ATX.State(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 30*time.Second {
			t.Errorf("asked again after %v", took)
		}
	})
}

// TestRetryIsSeen checks that each repetition is logged and told to the policy's own hook.
func TestRetryIsSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		device := &sequence{answers: []func(http.ResponseWriter){status(502, ""), status(502, ""), status(200, okEmpty)}}
		serveHTTP(t, network, device.ServeHTTP)
		var log bytes.Buffer
		told := 0
		c := newClient(t, kvmHTTP, on(network, pikvm.Options{
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Retry:  &retry.Policy{OnRetry: func(int, time.Duration, error) { told++ }},
		}))
		if err := c.Auth.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if logged := strings.Count(log.String(), "op=auth.Check attempt="); logged != 2 || told != 2 {
			t.Errorf("%d lines and %d calls, want 2 and 2:\n%s", logged, told, log.String())
		}
	})
}

// TestBusyWait checks how a busy device is asked again, and when that ends.
func TestBusyWait(t *testing.T) {
	t.Parallel()
	busy, done := status(http.StatusConflict, atxBusy), status(http.StatusOK, okEmpty)
	for _, tc := range []struct {
		name    string
		wait    time.Duration
		cancel  time.Duration
		close   time.Duration
		answers []func(http.ResponseWriter)
		want    error
		also    error
		atMost  time.Duration
	}{
		{name: "free at once", wait: time.Second, answers: []func(http.ResponseWriter){done}},
		{
			name: "free later", wait: 10 * time.Second, atMost: 10 * time.Second,
			answers: []func(http.ResponseWriter){busy, busy, busy, done},
		},
		{
			name: "never free", wait: 10 * time.Second, atMost: 10 * time.Second,
			answers: []func(http.ResponseWriter){busy}, want: pikvm.ErrBusy, also: errkit.Exhausted,
		},
		{
			name: "other failure", wait: time.Minute, atMost: time.Second,
			answers: []func(http.ResponseWriter){busy, status(http.StatusBadGateway, "")}, want: errkit.Unavailable,
		},
		{
			name: "canceled", wait: time.Hour, cancel: time.Minute, atMost: time.Minute,
			answers: []func(http.ResponseWriter){busy}, want: context.Canceled, also: pikvm.Err,
		},
		{
			name: "closed", wait: time.Hour, close: time.Minute, atMost: time.Minute,
			answers: []func(http.ResponseWriter){busy}, want: pikvm.ErrClosed,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := netem.New(nil)
				device := &sequence{answers: tc.answers}
				serveHTTP(t, network, device.ServeHTTP)
				c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tc.cancel > 0 {
					time.AfterFunc(tc.cancel, cancel)
				}
				if tc.close > 0 {
					time.AfterFunc(tc.close, func() { _ = c.Close() })
				}
				begin := time.Now()
				err := c.ATX.Click(ctx, pikvm.ButtonPower, &pikvm.ATXOptions{BusyWait: tc.wait})
				if took := time.Since(begin); took > tc.atMost {
					t.Errorf("took %v, at most %v", took, tc.atMost)
				}
				if !errors.Is(err, tc.want) || tc.also != nil && !errors.Is(err, tc.also) {
					t.Errorf("error is %v, want %v and %v", err, tc.want, tc.also)
				}
			})
		})
	}
}
