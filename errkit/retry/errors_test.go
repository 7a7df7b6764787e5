package retry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// giveUp returns the error of Do on calls that always fail with err.
func giveUp(t *testing.T, policy retry.Policy, deadline time.Duration, err error) error {
	t.Helper()
	policy.Backoff.Jitter = retry.JitterNone
	var got error
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		defer cancel()
		got = retry.Do(ctx, &policy, func(context.Context) error { return err })
	})
	return got
}

func TestErrors(t *testing.T) {
	t.Parallel()
	cause := errBusy.Wrap("on", "kitchen", nil)
	for _, tc := range []struct {
		name  string
		err   error
		text  string
		code  string
		kinds errkit.Kind
		attrs string
	}{
		{
			name:  "attempts",
			err:   giveUp(t, retry.Policy{}, time.Hour, cause),
			text:  "retry: gave up after 4 attempts: lamp: on kitchen: busy",
			code:  "retry.exhausted",
			kinds: errkit.Exhausted,
			attrs: "[elapsed=7s]",
		},
		{
			name:  "time",
			err:   giveUp(t, retry.Policy{MaxElapsed: 2 * time.Second}, time.Hour, cause),
			text:  "retry: gave up after 2 attempts: no time left of 2s: lamp: on kitchen: busy",
			code:  "retry.exhausted",
			kinds: errkit.Exhausted,
			attrs: "[elapsed=1s]",
		},
		{
			name:  "deadline",
			err:   giveUp(t, retry.Policy{}, 2*time.Second, cause),
			text:  "retry: gave up after 2 attempts: context deadline exceeded: lamp: on kitchen: busy",
			code:  "retry.exhausted",
			kinds: errkit.Exhausted | errkit.Timeout,
			attrs: "[elapsed=1s]",
		},
		{
			name:  "transport kinds of the last attempt stay",
			err:   giveUp(t, retry.Policy{MaxAttempts: 2}, time.Hour, errkit.Disconnected|errkit.Unavailable),
			text:  "retry: gave up after 2 attempts: disconnected|unavailable",
			code:  "retry.exhausted",
			kinds: errkit.Exhausted | errkit.Disconnected,
			attrs: "[elapsed=1s]",
		},
		{
			name:  "budget",
			err:   giveUp(t, retry.Policy{Budget: retry.NewBudget(&retry.BudgetOptions{Tokens: 7})}, time.Hour, cause),
			text:  "retry: no budget after 2 attempts: 2 tokens left, a retry costs 5: lamp: on kitchen: busy",
			code:  "retry.exhausted.budget",
			kinds: errkit.Exhausted,
			attrs: "[elapsed=1s tokens=2 cost=5]",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, err := range []error{tc.err, fmt.Errorf("kitchen: %w", tc.err), errors.Join(tc.err)} {
				if got := errkit.KindOf(err); got != tc.kinds {
					t.Errorf("KindOf = %v, want %v", got, tc.kinds)
				}
				if got := errkit.CodeOf(err); got != tc.code {
					t.Errorf("CodeOf = %q, want %q", got, tc.code)
				}
				for _, target := range []error{retry.Err, retry.ErrExhausted, errkit.Err, errkit.Exhausted} {
					if !errors.Is(err, target) {
						t.Errorf("%v does not match %v", err, target)
					}
				}
				if got, want := errors.Is(err, retry.ErrBudget), strings.HasSuffix(tc.code, ".budget"); got != want {
					t.Errorf("matches ErrBudget: %t, want %t", got, want)
				}
				if got, want := errors.Is(err, os.ErrDeadlineExceeded), tc.kinds.Has(errkit.Timeout); got != want {
					t.Errorf("matches os.ErrDeadlineExceeded: %t, want %t", got, want)
				}
				if errkit.Transient(err) {
					t.Errorf("%v is transient", err)
				}
				if e, ok := errors.AsType[net.Error](err); !ok || e.Timeout() != tc.kinds.Has(errkit.Timeout) {
					t.Errorf("%v as a net.Error: %t", err, ok)
				}
				if e, ok := errors.AsType[*retry.ExhaustedError](err); !ok || e.ErrorInfo() != mustInfo(t, err) {
					t.Errorf("%v is no ExhaustedError with the same Info", err)
				}
			}
			if got := tc.err.Error(); got != tc.text {
				t.Errorf("text\n got %q\nwant %q", got, tc.text)
			}
			attrs := tc.err.(interface{ ErrorAttrs() []slog.Attr }).ErrorAttrs()
			if got := fmt.Sprint(attrs); got != tc.attrs {
				t.Errorf("attributes %s, want %s", got, tc.attrs)
			}
		})
	}
}

func mustInfo(t *testing.T, err error) *errkit.Info {
	t.Helper()
	e, ok := errors.AsType[errkit.Error](err)
	if !ok {
		t.Fatalf("%v is no errkit.Error", err)
	}
	return e.ErrorInfo()
}

// A cause that calls itself transient does not make the error of a spent loop transient.
func TestGivingUpIsNeverTransient(t *testing.T) {
	t.Parallel()
	stubborn := &opinionated{errkit.Basic{Info: errkit.Info{Class: errBusy}}, true}
	for name, policy := range map[string]retry.Policy{
		"attempts": {MaxAttempts: 2},
		"budget":   {Budget: retry.NewBudget(&retry.BudgetOptions{Tokens: -1})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := giveUp(t, policy, time.Hour, stubborn)
			if !errors.Is(err, retry.Err) || errkit.Transient(err) || errkit.Transient(fmt.Errorf("x: %w", err)) {
				t.Errorf("%v: transient %t", err, errkit.Transient(err))
			}
		})
	}
}

// The address in a *url.Error may carry a token.
func TestErrorsKeepNoAddress(t *testing.T) {
	t.Parallel()
	const secret = "S3CRET"
	leaky := &url.Error{Op: "Get", URL: "https://user:" + secret + "@h/p?token=" + secret, Err: errkit.Timeout}
	first := true
	var mixed error // perhaps sent, then certainly not
	synctest.Test(t, func(t *testing.T) {
		mixed = retry.Do(t.Context(), &retry.Policy{MaxAttempts: 2}, func(context.Context) error {
			if first {
				first = false
				return errkit.Timeout
			}
			return &url.Error{Op: "Get", URL: leaky.URL, Err: unsent}
		})
	})
	for name, err := range map[string]error{
		"exhausted": giveUp(t, retry.Policy{}, time.Hour, leaky),
		"deadline":  giveUp(t, retry.Policy{}, time.Second, leaky),
		"budget":    giveUp(t, retry.Policy{Budget: retry.NewBudget(&retry.BudgetOptions{Tokens: -1})}, time.Hour, leaky),
		"not sent":  mixed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			encoded, _ := json.Marshal(err)
			var log strings.Builder
			slog.New(slog.NewJSONHandler(&log, nil)).Info("", "err", err)
			texts := []string{err.Error(), fmt.Sprintf("%+v", err), string(encoded), log.String()}
			for e := range errkit.Walk(err) {
				texts = append(texts, e.Error())
			}
			for _, text := range texts {
				if strings.Contains(text, secret) {
					t.Errorf("secret in %q", text)
				}
			}
			if !errors.Is(err, retry.ErrExhausted) || !errors.Is(err, errkit.Exhausted) {
				t.Errorf("%v", err)
			}
		})
	}
}

// The error of a call whose first attempt may have arrived is judged like the last attempt's, but for NotSent.
func TestUncertainErrorKeepsTheRest(t *testing.T) {
	t.Parallel()
	last := &errkit.Basic{Info: errkit.Info{Class: errFatal, Kind: errkit.NotSent, RetryAfter: time.Hour}}
	errs := []error{errkit.Timeout, last}
	var err error
	synctest.Test(t, func(t *testing.T) {
		err = retry.Do(t.Context(), nil, func(context.Context) error {
			defer func() { errs = errs[1:] }()
			return errs[0]
		})
	})
	if got, want := errkit.KindOf(err), errkit.Invalid; got != want {
		t.Errorf("KindOf = %v, want %v", got, want)
	}
	if errors.Is(err, errkit.NotSent) || errors.Is(err, errkit.Invalid|errkit.NotSent) {
		t.Errorf("%v matches NotSent", err)
	}
	if got := errkit.CodeOf(err); got != errFatal.Code() {
		t.Errorf("CodeOf = %q, want %q", got, errFatal.Code())
	}
	if d, ok := errkit.RetryAfter(err); !ok || d != time.Hour {
		t.Errorf("RetryAfter = %v, %t, want 1h", d, ok)
	}
	if e, ok := errors.AsType[*errkit.Basic](err); !ok || e != last {
		t.Errorf("AsType = %v, %t, want the last attempt's error", e, ok)
	}
	if errkit.Transient(err) || err.Error() != last.Error() {
		t.Errorf("%v: transient %t", err, errkit.Transient(err))
	}
}

func TestErrorsAreSafeForSeveralGoroutines(t *testing.T) {
	t.Parallel()
	err := giveUp(t, retry.Policy{Budget: retry.NewBudget(&retry.BudgetOptions{Tokens: 7})}, time.Hour, errBusy)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				e, ok := errors.AsType[*retry.ExhaustedError](err)
				if !ok || e.Error() == "" || !errors.Is(err, errBusy) || errkit.Transient(err) || len(e.ErrorAttrs()) == 0 {
					t.Errorf("%v", err)
				}
			}
		})
	}
	wg.Wait()
}
