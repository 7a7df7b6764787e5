package pikvm_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestEventsFirstConnection: the first failure is the caller's, typed as that of a request.
func TestEventsFirstConnection(t *testing.T) {
	t.Parallel()
	html := []byte("<html><body>502 Bad Gateway</body></html>")
	for _, tc := range []struct {
		name   string
		fault  pikvmtest.Fault
		class  *errkit.Class
		status int
		kind   errkit.Kind
	}{
		{"401", pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 401}, pikvm.ErrAuth, 401, errkit.Auth},
		{"403", pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 403}, pikvm.ErrAuth, 403, errkit.Auth},
		{"400", pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 400, Body: []byte(`{"ok":false,"result":{"error":"ValidatorError","error_msg":"x"}}`)}, pikvm.ErrInvalidArgument, 400, errkit.Invalid},
		{"308", pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 308, Header: http.Header{"Location": {"/api/ws"}}}, pikvm.ErrRedirect, 308, errkit.Unsupported},
		{"404", pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 404}, pikvm.ErrNotFound, 404, errkit.NotFound},
		{"502 page", pikvmtest.Fault{Kind: pikvmtest.FaultPage, Status: 502, Body: html}, pikvm.ErrAPI, 502, errkit.Unavailable},
		{"200 page", pikvmtest.Fault{Kind: pikvmtest.FaultPage, Status: 200, Body: html}, pikvm.ErrResponse, 200, errkit.Protocol},
		{"reset", pikvmtest.Fault{Kind: pikvmtest.FaultReset}, pikvm.ErrConnect, 0, errkit.Connection},
		{"no answer", pikvmtest.Fault{Kind: pikvmtest.FaultHang}, pikvm.ErrConnectionTimeout, 0, errkit.Timeout},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				tc.fault.Path = "/api/ws"
				fault := f.Inject(tc.fault)
				_, err := f.client.Events(t.Context(), nil)
				if !errors.Is(err, tc.class) || !errors.Is(err, tc.kind) || errors.Is(err, pikvm.ErrWebSocket) {
					t.Errorf("error is %v, want %v of kind %v", err, tc.class, tc.kind)
				}
				if api, ok := errors.AsType[*pikvm.APIError](err); ok != (tc.status != 0) || ok && api.StatusCode != tc.status {
					t.Errorf("API error is %+v", api)
				}
				if fault.Hits() != 1 {
					t.Errorf("%d attempts, want 1", fault.Hits())
				}
			})
		})
	}
}

func TestEventsRetriesFirst(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		f.SetDown(5 * time.Second)
		start := time.Now()
		var pauses []time.Duration
		s := f.open(t, &pikvm.EventOptions{RetryFirst: true, Backoff: steady, OnRetry: func(attempt int, delay time.Duration, err error) {
			pauses = append(pauses, delay)
			if attempt != len(pauses)+1 || !errors.Is(err, pikvm.ErrAPI) {
				t.Errorf("attempt %d after %v", attempt, err)
			}
		}})
		if d := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, pauses); d != "" {
			t.Errorf("pauses (-want +got):\n%s", d)
		}
		if took := time.Since(start); took != 7*time.Second || !s.Connected() {
			t.Errorf("connected %v after %v", s.Connected(), took)
		}
	})
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		f.SetDown(time.Hour)
		_, err := f.client.Events(within(t, time.Minute), &pikvm.EventOptions{RetryFirst: true})
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errkit.Unavailable) {
			t.Errorf("error is %v, want the end of the context and the last refusal", err)
		}
	})
	inBubble(t, nil, &pikvm.Options{Password: "wrong"}, func(t *testing.T, f *fake) {
		if _, err := f.client.Events(t.Context(), &pikvm.EventOptions{RetryFirst: true}); !errors.Is(err, pikvm.ErrAuth) {
			t.Errorf("error is %v", err)
		}
		if n := len(f.Requests()); n != 1 {
			t.Errorf("%d requests with refused credentials", n)
		}
	})
}

// TestEventsRetriesFirstOnlyWhatPasses: what lasts is returned at once.
func TestEventsRetriesFirstOnlyWhatPasses(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 308, 400, 401, 404} {
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			fault := f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/ws", Status: status})
			_, err := f.client.Events(within(t, time.Hour), &pikvm.EventOptions{RetryFirst: true})
			if !errors.Is(err, pikvm.ErrAPI) || fault.Hits() != 1 {
				t.Errorf("%d: %d attempts: %v", status, fault.Hits(), err)
			}
		})
	}
}

// TestEventsLimitsEachAttempt: an attempt without an answer does not take all the time that the context has.
func TestEventsLimitsEachAttempt(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultHang, Path: "/api/ws", Times: 2})
		start := time.Now()
		_, err := f.client.Events(within(t, time.Hour), &pikvm.EventOptions{RetryFirst: true, Backoff: steady})
		if took := time.Since(start); err != nil || took != 10*time.Second+time.Second+10*time.Second+2*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultHang, Path: "/api/ws"})
		for _, retryFirst := range []bool{false, true} {
			start := time.Now()
			_, err := f.client.Events(within(t, 15*time.Second), &pikvm.EventOptions{RetryFirst: retryFirst})
			if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 15*time.Second {
				t.Errorf("retry %v: %v after %v", retryFirst, err, took)
			}
		}
	})
}

// TestEventsOfClosingClient: the end of the client is not that of the caller's context.
func TestEventsOfClosingClient(t *testing.T) {
	t.Parallel()
	hang := pikvmtest.Fault{Kind: pikvmtest.FaultHang, Path: "/api/ws"}
	for _, tc := range []struct {
		name  string
		fault pikvmtest.Fault
		retry bool
	}{
		{"handshake", hang, false},
		{"handshake with RetryFirst", hang, true},
		{"pause", pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: "/api/ws", Status: 502}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				f.Inject(tc.fault)
				time.AfterFunc(5*time.Second, func() { _ = f.client.Close() })
				_, err := f.client.Events(within(t, time.Minute), &pikvm.EventOptions{RetryFirst: tc.retry})
				if !errors.Is(err, pikvm.ErrClosed) || errors.Is(err, context.Canceled) {
					t.Errorf("error is %v", err)
				}
			})
		})
	}
}
