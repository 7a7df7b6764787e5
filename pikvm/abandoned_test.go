package pikvm_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// dials are the two ways to the device.
var dials = map[string]func(context.Context, *pikvm.Client) error{
	"request": func(ctx context.Context, c *pikvm.Client) error {
		return c.ATX.Click(ctx, pikvm.ButtonReset, nil)
	},
	"socket": func(ctx context.Context, c *pikvm.Client) error {
		_, err := c.DialSocket(ctx, "/api/ws")
		return err
	},
}

// tooLate is what becomes of a dial that takes longer than the client's limit.
var tooLate = failure{
	Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Limit: 10 * time.Second,
	Kinds: errkit.Timeout | errkit.Connection | errkit.NotSent,
}

// TestSilentTLS checks a device that takes connections and says nothing, as one does whose daemon hangs: with the
// request ends its connection, long before the client is closed.
func TestSilentTLS(t *testing.T) {
	t.Parallel()
	for name, dial := range dials {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := netem.New(nil)
				l := listen(t, network, "kvm.example:443")
				defer func() { _ = l.Close() }()
				c := newClient(t, kvmHTTPS, on(network, pikvm.Options{}))
				for id := 1; id <= 3; id++ {
					tooLate.check(t, dial(t.Context(), c))
					link, err := network.WaitLink(t.Context(), id)
					if err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
					if !link.State().DialerClosed {
						t.Errorf("connection %d is still open", id)
					}
				}
			})
		})
	}
}

// TestAbandonedDial checks that a dialler which heeds its context alone ends with the request that it dialled for.
func TestAbandonedDial(t *testing.T) {
	t.Parallel()
	for name, dial := range dials {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dialling := 0
				c := newClient(t, kvmHTTPS, &pikvm.Options{
					DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
						dialling++
						<-ctx.Done()
						dialling--
						return nil, ctx.Err()
					},
				})
				tooLate.check(t, dial(t.Context(), c))
				synctest.Wait()
				if dialling != 0 {
					t.Error("the dialler still runs")
				}
			})
		})
	}
}
