package smok_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// world is a hub and a network in memory, in a bubble whose clock counts as set.
type world struct {
	t       *testing.T
	hub     *smoktest.Hub
	network *netem.Network
	pump    *smoktest.Device // what the hub knows of the device "pump"

	mu   sync.Mutex
	errs []error // of OnError
}

// inWorld runs a test in a bubble with a hub.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, network: netem.New(nil)}
		w.hub = smoktest.New(&smoktest.Options{
			Listen: w.network.Listen, Hosts: []string{"hub.test"}, Addr: "hub.test:443", NGTTAddr: "hub.test:2405",
		})
		if err := w.hub.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.hub.Close() })
		w.pump = w.hub.Device("pump")
		test(t, w)
	})
}

// options fills in what every device of the world needs.
func (w *world) options(opts smok.Options) *smok.Options {
	opts.BaseURL, opts.RootCAs, opts.DialContext = w.hub.URL(), w.hub.RootCAs(), w.network.DialContext
	opts.Auth = smok.AuthMTLS
	// Polling every minute would be most of what a long test does.
	opts.Intervals.Orders = cmp.Or(opts.Intervals.Orders, time.Hour)
	opts.Intervals.Macros = cmp.Or(opts.Intervals.Macros, time.Hour)
	if opts.ClockFloor.IsZero() {
		opts.ClockFloor = time.Unix(1, 0)
	}
	if opts.OnError == nil {
		opts.OnError = func(_ string, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.errs = append(w.errs, err)
		}
	}
	return &opts
}

// reported returns what OnError was told so far and forgets it.
func (w *world) reported() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	errs := w.errs
	w.errs = nil
	return errs
}

// device makes the device "pump". It is closed with the test.
func (w *world) device(opts smok.Options) *smok.Device {
	w.t.Helper()
	d, err := smok.New(credentials(w.t, w.hub), w.options(opts))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = d.Close() })
	return d
}

// run makes the device "pump" and runs it.
func (w *world) run(opts smok.Options) *smok.Device {
	w.t.Helper()
	d := w.device(opts)
	w.start(d)
	return d
}

// start runs a device until the test ends.
func (w *world) start(d *smok.Device) {
	w.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- d.Run(w.t.Context()) }()
	synctest.Wait()
	w.t.Cleanup(func() {
		_ = d.Close()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, smok.ErrClosed) {
			w.t.Errorf("run: %v", err)
		}
	})
}

// credentials are those of the device "pump".
func credentials(t testing.TB, hub *smoktest.Hub) *ngtt.Credentials {
	t.Helper()
	certPEM, keyPEM, err := hub.Issue(ngtttest.Device{ID: "pump"})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ngtt.NewCredentials(cert)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// must stops the test on an error.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// sleep lets the time of the bubble pass, and everything that it leads to.
func (w *world) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// register adds a pathpoint.
func (w *world) register(d *smok.Device, name string, opts *smok.PathpointOptions) *smok.Pathpoint {
	w.t.Helper()
	p, err := d.Register(name, smok.Trend, opts)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// get returns the current value of a pathpoint, or its error.
func get(p *smok.Pathpoint) any {
	s, err := p.Get()
	if err != nil {
		return err
	}
	return s.Value
}
