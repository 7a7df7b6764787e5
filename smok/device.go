package smok

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/schedule"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// Device is a SMOK device: one certificate, one hub, and everything that the program shows to the hub. Make one with
// [New]. All methods may be called from several goroutines at once.
type Device struct {
	host
	stop  context.CancelFunc
	areas []area // in the order in which they are loaded; flushed in the opposite one
	tasks []*task

	loops     context.Context // ends when Shutdown begins
	stopLoops context.CancelFunc
	ended     chan struct{} // closed when Shutdown is done

	mu    sync.Mutex
	group *schedule.Group // nil before Run
	ran   chan struct{}   // closed when Run returns

	watch      *clockWatch
	values     *values
	points     *points
	info       *info
	writes     *writes
	sensors    *sensors
	events     *events
	predicates *predicates
	metadata   *metadata
	baobs      *baobs
	logs       *logs
	orders     *orders
	macros     *macros
}

// New returns a device that is loaded from its store and does nothing until [Device.Run]. It checks everything and does
// not use the network: what is wrong with an option is an *[InvalidArgumentError]. The device owns the store from then
// on; with an error it does not.
func New(credentials *ngtt.Credentials, opts *Options) (*Device, error) {
	d := &Device{ended: make(chan struct{})}
	if err := d.configure(credentials, opts); err != nil {
		return nil, err
	}
	d.life, d.stop = context.WithCancel(context.Background())
	d.loops, d.stopLoops = context.WithCancel(d.life)
	d.exec = executor.New(&executor.Options{
		Lookup: d.lookup, Message: d.api.SendMessage, Sysctl: d.sysctl, Disruptive: d.disruptive,
		Replacement: d.opts.Executor,
		Queue:       d.opts.Queue, Concurrency: d.opts.Concurrency,
		Report: func(err error) { d.report("orders", err) },
	})
	var err error
	if d.state, err = store.OpenTable(d.store.State, nil); err != nil {
		d.stop()
		d.api.Close()
		return nil, err
	}
	d.open()
	for _, a := range d.areas {
		if err := a.load(); err != nil {
			d.stop()
			d.api.Close()
			return nil, err
		}
		d.tasks = append(d.tasks, a.tasks()...)
	}
	for _, t := range d.tasks {
		t.synced = make(chan struct{})
	}
	return d, nil
}

// configure copies the options, fills in what is not given, and makes the client.
func (d *Device) configure(credentials *ngtt.Credentials, opts *Options) error {
	if opts != nil {
		d.opts = *opts
	}
	o := &d.opts
	if err := o.check(); err != nil {
		return err
	}
	o.fill()
	d.logger = slog.New(slog.DiscardHandler)
	if o.Logger != nil {
		d.logger = o.Logger.With(slog.String("module", "smok"))
	}
	d.clock = newClock(o.Time, o.ClockFloor)
	d.offline.Store(o.Offline)
	var err error
	d.api, err = api.New(api.Config{
		Credentials: credentials, BaseURL: o.BaseURL, Auth: o.Auth,
		RootCAs: o.RootCAs, PinnedSHA256: o.PinnedSHA256,
		InsecureSkipTLSVerify: o.InsecureSkipTLSVerify, TLSConfig: o.TLSConfig,
		DialContext: o.DialContext, Proxy: o.Proxy,
		Timeout: o.Timeout, ConnectTimeout: o.ConnectTimeout,
		UserAgent: o.UserAgent, PlusForSpace: o.PlusForSpace, Logger: o.Logger, Time: o.Time,
		OnBadEntry:    func(err error) { d.report("hub", err) },
		WrapTransport: func(next http.RoundTripper) http.RoundTripper { return counted{next, &d.replies} },
	})
	if err != nil {
		return err
	}
	d.id, d.credentials = credentials.DeviceID(), credentials
	d.store = o.Store
	if d.store == nil {
		d.store = store.Memory(nil)
	}
	return nil
}
