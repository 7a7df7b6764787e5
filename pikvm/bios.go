package pikvm

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// BIOSOptions are the optional settings of [Client.EnterBIOS]. The zero value is ready to use.
type BIOSOptions struct {
	// Input takes the key. Nil means [Client.HID]; a [Session] spares a request for each event.
	Input Input

	// Interval is the time from one tap to the next. Zero means 300ms.
	Interval time.Duration

	// Hold is how long each tap holds the key: firmware may overlook shorter ones. Zero means 50ms.
	Hold time.Duration

	// Timeout is how long to go on. Zero means 1min, negative means no limit but that of the context.
	Timeout time.Duration

	// OnTap is called after each tap with the number of taps, from the goroutine of the caller.
	OnTap func(taps int)
}

// Defaults of [BIOSOptions].
const (
	defaultTapInterval = 300 * time.Millisecond
	defaultTapHold     = 50 * time.Millisecond
	defaultTapTimeout  = time.Minute
)

// EnterBIOS taps a key again and again, as one does while a host starts to get into its setup or its boot menu, until the
// function until returns. That runs beside the taps and waits for what shows that the host is there, for example:
//
//	func(ctx context.Context) error {
//		_, err := kvm.WaitForText(ctx, regexp.MustCompile("Boot Menu"), nil)
//		return err
//	}
//
// It must return when its context ends. Nil means that the key is tapped for as long as Timeout says, and that nobody looks.
// Begin when the host has just been switched on or reset: see [ATX.PowerCycle] and [ATX.ForceReset].
//
// Trouble that may pass, such as a request without an answer, does not stop the taps. What does is a [BIOSError], with the
// error of until as its cause if there is one; the key is released in any case. Nil options are the defaults.
func (c *Client) EnterBIOS(ctx context.Context, key Key, until func(ctx context.Context) error, opts *BIOSOptions) error {
	const op = "bios.Enter"
	var o BIOSOptions
	if opts != nil {
		o = *opts
	}
	if err := o.validate(op, c, key); err != nil {
		return err
	}
	run, err := c.beginLimited(ctx, op, 0)
	if err != nil {
		return err
	}
	defer run.end()
	limited, cancel := limitedBy(run.ctx, o.Timeout)
	defer cancel()
	var watcher sync.WaitGroup
	var unseen error
	if until != nil {
		watcher.Go(func() {
			defer cancel()
			unseen = until(limited)
		})
	}
	t := tapper{opts: &o, key: key, held: holder{input: o.Input}}
	stopped := t.run(limited)
	late := errors.Is(limited.Err(), context.DeadlineExceeded)
	cancel()
	watcher.Wait()
	stuck, _ := t.held.release(ctx)
	e := &BIOSError{Taps: t.taps, Stuck: stuck, Info: errkit.Info{Class: ErrBIOS, Op: op, Target: c.target}}
	switch {
	case until != nil && unseen == nil, until == nil && late && run.ctx.Err() == nil:
		if len(stuck) == 0 {
			return nil
		}
		e.Err = t.trouble
	case run.ctx.Err() != nil:
		e.Err = run.failure(nil, t.held.begun)
	case stopped != nil:
		e.Err = stopped
	case late:
		e.Err, e.Limit = errors.Join(unseen, t.trouble), o.Timeout
	default:
		e.Err = unseen
	}
	return e.judged(t.held.begun)
}

// validate checks the arguments and fills defaults in.
func (o *BIOSOptions) validate(op string, c *Client, key Key) error {
	switch {
	case !key.Valid():
		return configurationError(op, "key", "unknown")
	case o.Interval < 0:
		return configurationError(op, "Interval", "negative")
	case o.Hold < 0:
		return configurationError(op, "Hold", "negative")
	}
	for option, byDefault := range map[*time.Duration]time.Duration{
		&o.Interval: defaultTapInterval, &o.Hold: defaultTapHold, &o.Timeout: defaultTapTimeout,
	} {
		if *option == 0 {
			*option = byDefault
		}
	}
	if o.Input == nil {
		o.Input = c.HID
	}
	return nil
}

// limitedBy returns a context that ends after limit, if that is positive.
func limitedBy(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit > 0 {
		return context.WithTimeout(ctx, limit)
	}
	return context.WithCancel(ctx)
}

// tapper taps a key.
type tapper struct {
	opts    *BIOSOptions
	key     Key
	held    holder
	taps    int
	trouble error // the last one
}

// run taps until ctx ends, or for a reason that cannot pass.
func (t *tapper) run(ctx context.Context) error {
	each, cancel := withoutDeadline(ctx) // the client's limit rules each request
	defer cancel()
	for ctx.Err() == nil {
		next := time.Now().Add(t.opts.Interval)
		err := t.tap(each)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			t.taps++
			if t.opts.OnTap != nil {
				t.opts.OnTap(t.taps)
			}
		case isFinal(err) || !errkit.Transient(err):
			return err
		default:
			t.trouble = err
		}
		_ = retry.Wait(ctx, max(time.Until(next), 0)) // the loop looks at ctx
	}
	return nil
}

// tap presses and releases the key.
func (t *tapper) tap(ctx context.Context) error {
	if err := t.held.key(ctx, t.key, true); err != nil {
		return err
	}
	if err := retry.Wait(ctx, t.opts.Hold); err != nil {
		return err
	}
	return t.held.key(ctx, t.key, false)
}
