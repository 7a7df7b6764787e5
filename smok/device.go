package smok

import (
	"context"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// Device is a SMOK device: one certificate, one hub, and everything that the program shows to the hub. Make one with
// [New]. All methods may be called from several goroutines at once.
type Device struct {
	host
	stop  context.CancelFunc
	areas []area // in the order in which they are loaded; flushed in the opposite one
}

// New returns a device that is loaded from its store and does nothing until [Device.Run]. It checks everything and does
// not use the network: what is wrong with an option is an *[InvalidArgumentError].
func New(credentials *ngtt.Credentials, opts *Options) (*Device, error) {
	d := new(Device)
	if opts != nil {
		d.opts = *opts
	}
	client, err := api.New(api.Config{
		Credentials: credentials, BaseURL: d.opts.BaseURL, Auth: d.opts.Auth,
		RootCAs: d.opts.RootCAs, PinnedSHA256: d.opts.PinnedSHA256,
		InsecureSkipTLSVerify: d.opts.InsecureSkipTLSVerify, TLSConfig: d.opts.TLSConfig,
		DialContext: d.opts.DialContext, Proxy: d.opts.Proxy,
		Timeout: d.opts.Timeout, ConnectTimeout: d.opts.ConnectTimeout,
		UserAgent: d.opts.UserAgent, Logger: d.opts.Logger,
	})
	if err != nil {
		return nil, err
	}
	d.api = client
	d.store = d.opts.Store
	if d.store == nil {
		d.store = store.Memory(nil)
	}
	d.life, d.stop = context.WithCancel(context.Background())
	for _, a := range d.areas {
		if err := a.load(); err != nil {
			d.stop()
			client.Close()
			return nil, err
		}
	}
	return d, nil
}
