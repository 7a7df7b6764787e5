package pikvm_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// TestCookieWaiters checks that those who wait for a login leave when they must, and that a login that nobody
// waits for any more ends.
func TestCookieWaiters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, device := cookieClient(t, pikvm.Options{})
		hold := make(chan struct{})
		device.set(func() { device.hold = hold })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var patient error
		var all sync.WaitGroup
		all.Go(func() { _, patient = c.ATX.State(ctx) })
		synctest.Wait()
		begin := time.Now()
		_, err := c.ATX.State(t.Context())
		failure{
			Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Limit: 10 * time.Second,
			Kinds: errkit.Timeout | errkit.Connection | errkit.NotSent,
		}.check(t, err)
		all.Wait()
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("the patient one left after %v", took)
		}
		failure{
			Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout,
			Kinds: errkit.Timeout | errkit.Connection | errkit.NotSent,
		}.check(t, patient)
		close(hold)
		device.set(func() { device.hold = nil })
		if err := c.Auth.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if got := device.count(); got != 2 {
			t.Errorf("%d logins, want 2: the abandoned one and a new one", got)
		}
	})
}

// TestCookieStuckLogin checks that a login which nobody answers does not hold up those who come later, although
// there are always some who still wait for it.
func TestCookieStuckLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, device := cookieClient(t, pikvm.Options{})
		hold := make(chan struct{})
		defer close(hold)
		device.set(func() { device.hold = hold })
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if err := c.Auth.Check(t.Context()); !errors.Is(err, pikvm.ErrConnectionTimeout) {
					t.Errorf("error is %v, want ErrConnectionTimeout", err)
				}
			})
			time.Sleep(9 * time.Second)
		}
		device.set(func() { device.hold = nil }) // for new logins
		if err := c.Auth.Check(t.Context()); err != nil {
			t.Error(err)
		}
		all.Wait()
		if err := c.Auth.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if got := device.count(); got != 2 {
			t.Errorf("%d logins, want 2: the stuck one and a new one", got)
		}
	})
}

// TestLoginUnanswered checks that a login which was sent does not claim the contrary, in any mode.
func TestLoginUnanswered(t *testing.T) {
	t.Parallel()
	for _, mode := range []pikvm.AuthMode{pikvm.AuthHeaders, pikvm.AuthCookie} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := netem.New(nil)
				serveHTTP(t, network, func(_ http.ResponseWriter, r *http.Request) {
					_ = r.ParseForm() // the end of the connection shows only after the body
					<-r.Context().Done()
				})
				c := newClient(t, kvmHTTP, on(network, pikvm.Options{Auth: mode}))
				_, err := c.Auth.Login(t.Context(), nil)
				failure{
					Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Limit: 10 * time.Second,
					Kinds: errkit.Timeout,
				}.check(t, err)
			})
		})
	}
}

// TestCookieClose checks that Close ends a login under way and those who wait for it.
func TestCookieClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, device := cookieClient(t, pikvm.Options{})
		hold := make(chan struct{})
		defer close(hold)
		device.set(func() { device.hold = hold })
		time.AfterFunc(time.Second, func() { _ = c.Close() })
		_, err := c.ATX.State(t.Context())
		if !errors.Is(err, pikvm.ErrClosed) {
			t.Errorf("error is %v, want ErrClosed", err)
		}
	})
}
