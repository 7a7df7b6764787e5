package smok_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
)

// gateway is the program of the README.
func gateway(ctx context.Context, credentials *ngtt.Credentials, dir string, opts smok.Options) (err error) {
	if opts.Store, err = diskstore.Open(dir, nil); err != nil {
		return err
	}
	device, err := smok.New(credentials, &opts)
	if err != nil {
		return errors.Join(err, opts.Store.Close())
	}
	defer device.Close() // a last attempt to bring out what waits
	running := false
	_, err = device.Register("B1", smok.Permanent, &smok.PathpointOptions{
		Read:  func(context.Context, smok.Advise) (any, error) { return running, nil },
		Write: func(_ context.Context, v any, _ smok.Advise) error { running = v.(bool); return nil },
	})
	if err != nil {
		return err
	}
	pressure, err := device.Register("d1", smok.Trend, nil)
	if err != nil {
		return err
	}
	if err := pressure.Set(ctx, time.Now(), 4.25); err != nil {
		return err // otherwise it is on the disk
	}
	if _, err := device.OpenEvent(ctx, smok.Event{Message: "high pressure", Color: smok.Red}); err != nil {
		return err
	}
	return device.Run(ctx)
}

// explain is the table of errors of the README as a program.
func explain(err error) string {
	failed, isOperation := errors.AsType[*smok.OperationFailedError](err)
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return "ended"
	case errors.Is(err, smok.ErrInvalidCredentials), errors.Is(err, ngtt.ErrInvalidCredentials):
		return "get a certificate for this device"
	case errors.Is(err, smok.ErrStale):
		return "there is a newer value"
	case isOperation:
		return "the machine failed: " + string(failed.Reason)
	case errors.Is(err, smok.ErrStore), errors.Is(err, smok.ErrQueueFull):
		return "the value is not stored"
	case errkit.Transient(err):
		return "try again"
	}
	return err.Error()
}

func Example() {
	hub := smoktest.New(nil)
	if err := hub.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer hub.Close()
	cert, key, err := hub.Issue(ngtttest.Device{ID: "pump-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	credentials, err := ngtt.ParseCredentials(cert, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "gateway")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	pump := hub.Device("pump-1")
	section := smoktest.Section{Orders: []smoktest.Order{smoktest.Write("B1", true), smoktest.Read("B1")}}
	if _, err := pump.Enqueue(section); err != nil {
		fmt.Println(err)
		return
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	go func() {
		defer cancel()
		_ = hub.Wait(ctx, func() bool {
			c := pump.Counts()
			return c.Orders.Confirmed == 1 && c.Samples == 2 && c.Alarms == 1
		})
	}()
	err = gateway(ctx, credentials, dir, smok.Options{
		BaseURL: hub.URL(), RootCAs: hub.RootCAs(), Auth: smok.AuthMTLS, NGTT: &ngtt.Options{Addr: hub.NGTTAddr()},
	})
	fmt.Println(explain(err))
	for _, path := range []string{"B1", "d1"} {
		fmt.Println(path, pump.Samples(path)[0].Value)
	}
	fmt.Println(pump.Alarms()[0].Message)
	// Output:
	// ended
	// B1 true
	// d1 4.25
	// high pressure
}

// barometer is a machine for the first program about pathpoints.
type barometer interface {
	Pressure(ctx context.Context) (float64, error)
}

// addPathpoints is that program.
func addPathpoints(ctx context.Context, device *smok.Device, sensor barometer) error {
	_, err := device.Register("d1", smok.Permanent, &smok.PathpointOptions{
		Read: func(ctx context.Context, _ smok.Advise) (any, error) { return sensor.Pressure(ctx) },
	})
	if err != nil {
		return err
	}
	door, err := device.Register("B1", smok.Trend, nil)
	if err != nil {
		return err
	}
	return door.Set(ctx, time.Time{}, true) // nil: it is in the store
}

type standstill struct{}

func (standstill) Pressure(context.Context) (float64, error) { return 1013.25, nil }

// withHub is the program of the README about the hub for tests.
func withHub(ctx context.Context) error {
	hub := smoktest.New(nil)
	if err := hub.Start(); err != nil {
		return err
	}
	defer hub.Close()
	cert, key, err := hub.Issue(ngtttest.Device{ID: "pump-1"})
	if err != nil {
		return err
	}
	// the answer to the first upload is lost
	hub.Inject(smoktest.Fault{Path: "/v1/device/pathpoints", Kind: smoktest.FaultReset, AfterEffect: true, Times: 1})
	pump := hub.Device("pump-1")
	if _, err := pump.Enqueue(smoktest.Section{Orders: []smoktest.Order{smoktest.Read("d1")}}); err != nil {
		return err
	}
	credentials, err := ngtt.ParseCredentials(cert, key)
	if err != nil {
		return err
	}
	device, err := smok.New(credentials, &smok.Options{
		BaseURL: hub.URL(), RootCAs: hub.RootCAs(), Auth: smok.AuthMTLS, NGTT: &ngtt.Options{Addr: hub.NGTTAddr()},
	})
	if err != nil {
		return err
	}
	defer device.Close()
	if err := addPathpoints(ctx, device, standstill{}); err != nil {
		return err
	}
	go device.Run(ctx)
	return hub.Wait(ctx, func() bool { return pump.Counts().Orders.Confirmed == 1 })
}

func Example_hub() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Println(withHub(ctx))
	// Output: <nil>
}
