package pikvm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// startFleet starts n devices on one network.
func startFleet(t *testing.T, n int, opts *pikvm.FleetOptions) (*pikvm.Fleet, []*pikvmtest.Server, *netem.Network) {
	t.Helper()
	network := netem.New(nil)
	devices, servers := make([]pikvm.FleetDevice, n), make([]*pikvmtest.Server, n)
	for i := range devices {
		host := fmt.Sprintf("kvm%d.example", i)
		servers[i] = pikvmtest.New(&pikvmtest.Options{Listener: listen(t, network, host+":80")})
		if err := servers[i].Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = servers[i].Close() })
		devices[i] = pikvm.FleetDevice{Name: fmt.Sprintf("rack %d", i), Client: newClient(t, "http://"+host, on(network, pikvm.Options{Password: "admin"}))}
	}
	f, err := pikvm.NewFleet(devices, opts)
	if err != nil {
		t.Fatal(err)
	}
	return f, servers, network
}

// TestFleet does something to many devices, some of which fail: results are in order, all errors are found.
func TestFleet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, servers, network := startFleet(t, 7, &pikvm.FleetOptions{Parallel: 3})
		network.Refuse("kvm2.example:80")
		servers[5].Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 403})
		var mu sync.Mutex
		now, most := 0, 0
		count := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			now += n
			most = max(most, now)
		}
		results, err := pikvm.CollectFleet(t.Context(), f, func(ctx context.Context, d pikvm.FleetDevice) (string, error) {
			count(1)
			defer count(-1)
			if err := d.Client.HID.Type(ctx, d.Name, nil); err != nil {
				return "", err
			}
			return "typed on " + d.Name, nil
		})
		var values []string
		for i, r := range results {
			values = append(values, r.Value)
			if bad := i == 2 || i == 5; r.Name != fmt.Sprintf("rack %d", i) || bad != (r.Err != nil) || bad == (servers[i].Typed() == r.Name) || !bad && r.Took != 220*time.Millisecond {
				t.Errorf("%+v, typed %q", r, servers[i].Typed())
			}
		}
		want := []string{"typed on rack 0", "typed on rack 1", "", "typed on rack 3", "typed on rack 4", "", "typed on rack 6"}
		if d := cmp.Diff(want, values); d != "" || most != 3 {
			t.Errorf("values (-want +got):\n%s%d at once", d, most)
		}
		e, _ := errors.AsType[*pikvm.FleetError](err)
		if e == nil || e.Devices != 7 || len(e.Failed) != 2 || e.Failed[0].Name != "rack 2" || e.Failed[1].Name != "rack 5" ||
			!errors.Is(err, pikvm.ErrFleet) || !errors.Is(err, pikvm.ErrAuth) || !errors.Is(err, pikvm.ErrConnect) || errors.Is(err, errkit.NotSent) {
			t.Errorf("error is %v", err)
		}
		if text := err.Error(); !strings.Contains(text, `2 of 7 devices; "rack 2": `) || !strings.Contains(text, `"rack 5": `) || strings.Contains(text, "\n") {
			t.Errorf("text is %s", text)
		}
		if err := f.Each(t.Context(), func(context.Context, pikvm.FleetDevice) error { return nil }); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil || !errors.Is(f.Devices()[6].Client.Auth.Check(t.Context()), pikvm.ErrClosed) {
			t.Errorf("close: %v", err)
		}
	})
}

// TestFleetEnds checks that a context and a limit end the calls under way, and that no more are made.
func TestFleetEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, servers, _ := startFleet(t, 5, &pikvm.FleetOptions{Parallel: 2})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(time.Second, cancel)
		err := f.Each(ctx, func(ctx context.Context, d pikvm.FleetDevice) error {
			return d.Client.HID.Type(ctx, strings.Repeat("x", 1000), nil)
		})
		e, _ := errors.AsType[*pikvm.FleetError](err)
		if e == nil || len(e.Failed) != 5 || !errors.Is(err, context.Canceled) || errors.Is(err, errkit.NotSent) {
			t.Fatalf("error is %v", err)
		}
		for i, failed := range e.Failed {
			if begun := i < 2; errors.Is(failed.Err, errkit.NotSent) == begun || begun != (servers[i].Typed() != "") || !errors.Is(failed.Err, pikvm.Err) {
				t.Errorf("%s: %v", failed.Name, failed.Err)
			}
		}
		if err := f.Each(ctx, func(context.Context, pikvm.FleetDevice) error { return nil }); !errors.Is(err, errkit.NotSent) {
			t.Errorf("error is %v", err) // of all
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f, _, _ := startFleet(t, 3, &pikvm.FleetOptions{Parallel: 1, Timeout: time.Second})
		begin := time.Now()
		err := f.Each(t.Context(), func(ctx context.Context, d pikvm.FleetDevice) error { return d.Client.ATX.WaitPower(ctx, true, nil) })
		if took := time.Since(begin); took != 3*time.Second || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, pikvm.ErrPower) {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// TestNewFleet checks what is refused.
func TestNewFleet(t *testing.T) {
	t.Parallel()
	c := newClient(t, kvmHTTP, &pikvm.Options{DialContext: noDial(t)})
	for name, tc := range map[string]struct {
		devices []pikvm.FleetDevice
		opts    *pikvm.FleetOptions
	}{
		"no name":   {[]pikvm.FleetDevice{{" ", c}}, nil},
		"no client": {[]pikvm.FleetDevice{{"a", nil}}, nil},
		"twice":     {[]pikvm.FleetDevice{{"a", c}, {"a", c}}, nil},
		"parallel":  {nil, &pikvm.FleetOptions{Parallel: -1}},
		"timeout":   {nil, &pikvm.FleetOptions{Timeout: -1}},
	} {
		if f, err := pikvm.NewFleet(tc.devices, tc.opts); f != nil || !errors.Is(err, pikvm.ErrConfiguration) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	f, err := pikvm.NewFleet(nil, nil)
	if err != nil || f.Each(t.Context(), nil) != nil { // there is nothing to do
		t.Errorf("%v, %v", f, err)
	}
}
