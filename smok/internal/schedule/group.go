// Package schedule repeats the work of the areas of a device: one goroutine for each area, which nothing but the end of
// its group ends. An area that fails, hangs or panics does not touch the others.
package schedule

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Options configures a [Group].
type Options struct {
	// OnResult, if not nil, is told of every run: its area, its error, and when the next one is due. It is called on the
	// goroutine of the area. It should not panic; if it does, that is logged.
	OnResult func(area string, err error, next time.Duration)

	// Backoff gives the delays after runs that failed. A zero Base stands for delays that grow from 1s to 5min, or are as
	// long as the hub asks, up to 1h.
	Backoff retry.Backoff

	// Refused gives the delays after runs that failed since the hub refuses the device itself. A zero Base stands for
	// delays that grow from 5min to 1h.
	Refused retry.Backoff

	// Rand returns numbers in [0,1), for the jitter of intervals. Nil means rand.Float64.
	Rand func() float64

	// Logger is told of failures. Nil discards.
	Logger *slog.Logger
}

// Group owns loops. All methods may be called from several goroutines.
type Group struct {
	opts   Options
	ctx    context.Context // of all runs; ends with Stop
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	loops   []*Loop
	stopped bool
}

// NewGroup returns a group without loops. Nil options mean the defaults.
func NewGroup(opts *Options) *Group {
	g := &Group{}
	if opts != nil {
		g.opts = *opts
	}
	if g.opts.Backoff.Base == 0 {
		g.opts.Backoff = growing(time.Second, 5*time.Minute)
	}
	if g.opts.Refused.Base == 0 {
		g.opts.Refused = growing(5*time.Minute, time.Hour)
	}
	if g.opts.Rand == nil {
		g.opts.Rand = rand.Float64
	}
	if g.opts.Logger == nil {
		g.opts.Logger = slog.New(slog.DiscardHandler)
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// growing returns the backoff whose first delay is at least the given one.
func growing(first, longest time.Duration) retry.Backoff {
	return retry.Backoff{Base: 2 * first, Cap: longest, Jitter: retry.JitterEqual, MaxRetryAfter: time.Hour}
}

// Go starts the loop of an area. The first run begins at once. After [Group.Stop] the error is of class
// smokerr.ErrClosed.
func (g *Group) Go(area Area) (*Loop, error) {
	if area.Run == nil || area.Every < 0 || area.Gather < 0 {
		return nil, smokerr.InvalidArgument("schedule", area.Name, "has no function or a negative interval", nil)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped {
		return nil, smokerr.Closed("schedule")
	}
	l := &Loop{
		g: g, area: area, wake: make(chan struct{}, 1), retry: make(chan struct{}, 1), synced: make(chan struct{}),
		failing: g.opts.Backoff.Start(), refused: g.opts.Refused.Start(),
	}
	g.loops = append(g.loops, l)
	g.wg.Go(l.loop)
	return l, nil
}

// Status returns a snapshot of each loop, in the order in which they were started.
func (g *Group) Status() []Status {
	g.mu.Lock()
	loops := g.loops
	g.mu.Unlock()
	all := make([]Status, len(loops))
	for i, l := range loops {
		all[i] = l.Status()
	}
	return all
}

// Stop ends the contexts of all runs and waits for the loops to end. If ctx ends before, the error says so, and the loops
// whose runs ignore their context go on until those return. It may be called several times.
func (g *Group) Stop(ctx context.Context) error {
	g.mu.Lock()
	g.stopped = true
	g.mu.Unlock()
	g.cancel()
	ended := make(chan struct{})
	go func() {
		g.wg.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-ended:
		return nil
	default:
	}
	cause := errkit.FromContext(ctx)
	return &errkit.Basic{Info: errkit.Info{
		Class: smokerr.Err, Op: "stop", Kind: errkit.TransportKind(cause), Err: cause,
	}}
}
