package pikvm_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
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

// TestSilentPeers checks a device, or a proxy before it, that takes connections and says nothing, as one does whose
// daemon hangs: with the request ends its connection, long before the client is closed.
func TestSilentPeers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, listen string
		proxy        func(*http.Request) (*url.URL, error)
	}{
		{name: "device", listen: "kvm.example:443"},
		{
			name: "proxy", listen: "proxy.example:3128",
			proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.example:3128"}),
		},
	} {
		for name, dial := range dials {
			t.Run(tc.name+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					network := netem.New(nil)
					l := listen(t, network, tc.listen)
					defer func() { _ = l.Close() }()
					c := newClient(t, kvmHTTPS, on(network, pikvm.Options{Proxy: tc.proxy}))
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
