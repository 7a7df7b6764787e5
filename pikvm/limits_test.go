package pikvm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestLimits checks who ends a request that takes too long, and what is known of it then.
func TestLimits(t *testing.T) {
	t.Parallel()
	const timeout = 10 * time.Second
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	slowBody := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, atxOn[:20])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for _, tc := range []struct {
		name      string
		handler   http.HandlerFunc // nil: nobody answers the dial
		opts      pikvm.Options
		ctx       func(context.Context) (context.Context, context.CancelFunc)
		close     time.Duration // the client is closed after this time
		want      failure
		took      time.Duration
		deadline  bool // matches context.DeadlineExceeded
		isTimeout bool // matches os.ErrDeadlineExceeded
	}{
		{
			name: "default limit", handler: hang, took: timeout, isTimeout: true,
			want: failure{
				Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout, Limit: timeout,
			},
		},
		{
			name: "limit within the body", handler: slowBody, took: timeout, isTimeout: true,
			want: failure{
				Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout, Limit: timeout,
			},
		},
		{
			name: "limit within the dial", took: 2 * time.Second, isTimeout: true,
			opts: pikvm.Options{Timeout: 2 * time.Second},
			want: failure{
				Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Limit: 2 * time.Second,
				Kinds: errkit.Timeout | errkit.Connection | errkit.NotSent,
			},
		},
		{
			name: "shorter deadline of the caller", handler: hang, took: time.Second, isTimeout: true, deadline: true,
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, time.Second)
			},
			want: failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout},
		},
		{
			name: "longer deadline of the caller", handler: hang, took: time.Minute, isTimeout: true, deadline: true,
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, time.Minute)
			},
			want: failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout},
		},
		{
			name: "deadline of the caller within the dial", took: time.Second, isTimeout: true, deadline: true,
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, time.Second)
			},
			want: failure{
				Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout,
				Kinds: errkit.Timeout | errkit.Connection | errkit.NotSent,
			},
		},
		{
			name: "no limit but the caller's cancel", handler: hang, took: time.Hour,
			opts: pikvm.Options{Timeout: -1},
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(time.Hour, cancel)
				return ctx, cancel
			},
			want: failure{Type: "Basic", Class: pikvm.Err, Kinds: errkit.Canceled},
		},
		{
			name: "canceled within the dial", took: time.Second,
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(time.Second, cancel)
				return ctx, cancel
			},
			want: failure{Type: "Basic", Class: pikvm.Err, Kinds: errkit.Canceled | errkit.NotSent},
		},
		{
			name: "canceled before",
			ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				return ctx, cancel
			},
			want: failure{Type: "Basic", Class: pikvm.Err, Kinds: errkit.Canceled | errkit.NotSent},
		},
		{
			name: "closed meanwhile", handler: hang, took: time.Second, close: time.Second,
			want: failure{Type: "Basic", Class: pikvm.ErrClosed, Kinds: errkit.Closed},
		},
		{
			name: "closed within the dial", took: time.Second, close: time.Second,
			want: failure{Type: "Basic", Class: pikvm.ErrClosed, Kinds: errkit.Closed | errkit.NotSent},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := netem.New(nil)
				if tc.handler == nil {
					network.Blackhole("kvm.example:80")
				} else {
					serveHTTP(t, network, tc.handler)
				}
				c := newClient(t, kvmHTTP, on(network, tc.opts))
				ctx := t.Context()
				if tc.ctx != nil {
					var cancel context.CancelFunc
					ctx, cancel = tc.ctx(ctx)
					defer cancel()
				}
				if tc.close > 0 {
					time.AfterFunc(tc.close, func() { _ = c.Close() })
				}
				begin := time.Now()
				err := c.ATX.Click(ctx, pikvm.ButtonReset, nil)
				if took := time.Since(begin); took != tc.took {
					t.Errorf("took %v, want %v", took, tc.took)
				}
				tc.want.check(t, err)
				if got := errors.Is(err, context.DeadlineExceeded); got != tc.deadline {
					t.Errorf("is context.DeadlineExceeded: %t, want %t (%v)", got, tc.deadline, err)
				}
				if got := errors.Is(err, os.ErrDeadlineExceeded); got != tc.isTimeout {
					t.Errorf("is os.ErrDeadlineExceeded: %t, want %t (%v)", got, tc.isTimeout, err)
				}
				wantCanceled := tc.want.Kinds.Has(errkit.Canceled)
				if got := errors.Is(err, context.Canceled); got != wantCanceled {
					t.Errorf("is context.Canceled: %t, want %t (%v)", got, wantCanceled, err)
				}
			})
		})
	}
}
