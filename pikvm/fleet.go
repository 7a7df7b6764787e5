package pikvm

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Fleet is a set of devices to which the same is done. All methods may be called from several goroutines at once.
type Fleet struct {
	devices []FleetDevice
	opts    FleetOptions
}

// FleetDevice is a device of a [Fleet].
type FleetDevice struct {
	Name   string // for results and errors; none is there twice
	Client *Client
}

// FleetOptions are the optional settings of [NewFleet]. The zero value is ready to use.
type FleetOptions struct {
	// Parallel is how many devices are worked on at a time. Zero means 8.
	Parallel int

	// Timeout limits what is done to each device. Zero means that only the context does.
	Timeout time.Duration
}

const defaultParallel = 8

// FleetResult is what came of one device.
type FleetResult[T any] struct {
	Name  string
	Value T // as the function returned it, also beside an error
	Err   error
	Took  time.Duration // without the wait for a turn
}

// NewFleet makes a fleet of devices, whose clients stay the caller's: [Fleet.Close] is there for those who want to end them
// all. It does no I/O; what is wrong is a [ConfigurationError]. Nil options are the defaults.
func NewFleet(devices []FleetDevice, opts *FleetOptions) (*Fleet, error) {
	const op = "fleet.New"
	f := &Fleet{devices: slices.Clone(devices)}
	if opts != nil {
		f.opts = *opts
	}
	switch {
	case f.opts.Parallel < 0:
		return nil, configurationError(op, "Parallel", "negative")
	case f.opts.Timeout < 0:
		return nil, configurationError(op, "Timeout", "negative")
	case f.opts.Parallel == 0:
		f.opts.Parallel = defaultParallel
	}
	names := make(map[string]struct{}, len(devices))
	for _, d := range devices {
		if _, known := names[d.Name]; known || strings.TrimSpace(d.Name) == "" || d.Client == nil {
			return nil, configurationError(op, "devices", "one without a name of its own, or without a client")
		}
		names[d.Name] = struct{}{}
	}
	return f, nil
}

// Devices returns the devices in their order.
func (f *Fleet) Devices() []FleetDevice { return slices.Clone(f.devices) }

// Each calls a function for every device, for several at a time. It returns when all calls have: one that fails does not stop
// the others. When ctx ends, the calls under way see it, and no more are made. What failed is a [FleetError].
func (f *Fleet) Each(ctx context.Context, do func(ctx context.Context, d FleetDevice) error) error {
	_, err := collect(ctx, f, "fleet.Each", func(ctx context.Context, d FleetDevice) (struct{}, error) {
		return struct{}{}, do(ctx, d)
	})
	return err
}

// Close closes the clients of all devices, all at once, and always returns nil.
func (f *Fleet) Close() error {
	var all sync.WaitGroup
	for _, d := range f.devices {
		all.Go(func() { _ = d.Client.Close() }) // never fails
	}
	all.Wait()
	return nil
}

// CollectFleet calls a function for every device as [Fleet.Each] does, and returns what came of each, in the order of the
// devices, together with the same error.
func CollectFleet[T any](
	ctx context.Context, f *Fleet, do func(ctx context.Context, d FleetDevice) (T, error),
) ([]FleetResult[T], error) {
	return collect(ctx, f, "fleet.Collect", do)
}

func collect[T any](
	ctx context.Context, f *Fleet, op string, do func(ctx context.Context, d FleetDevice) (T, error),
) ([]FleetResult[T], error) {
	results := make([]FleetResult[T], len(f.devices))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(f.opts.Parallel, len(f.devices)) {
		workers.Go(func() {
			for i := range next {
				r, begin := &results[i], time.Now()
				limited, cancel := limitedBy(ctx, f.opts.Timeout)
				r.Value, r.Err = do(limited, f.devices[i])
				cancel()
				r.Took = time.Since(begin)
			}
		})
	}
	for i, d := range f.devices {
		results[i].Name = d.Name
		if ctx.Err() == nil {
			select {
			case next <- i:
				continue
			case <-ctx.Done():
			}
		}
		results[i].Err = notSent(contextError(ctx, op, d.Client.target, nil))
	}
	close(next)
	workers.Wait()
	return results, fleetError(op, results)
}

// fleetError returns the error of all devices, nil if none has failed.
func fleetError[T any](op string, results []FleetResult[T]) error {
	e := &FleetError{Info: errkit.Info{Class: ErrFleet, Op: op}, Devices: len(results)}
	for _, r := range results {
		if r.Err != nil {
			e.Failed = append(e.Failed, FleetFailure{r.Name, r.Err})
		}
	}
	if len(e.Failed) == 0 {
		return nil
	}
	e.join()
	return e
}
