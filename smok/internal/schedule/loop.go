package schedule

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Area is a part of a device that has work again and again.
type Area struct {
	Name string

	// Every is the time from the end of a run to the next one, give or take 10 %. Zero means that only [Loop.Wake] and
	// Due say when.
	Every time.Duration

	// Due, if not nil, says after each run that succeeded how long it is until the next one, exactly and in place of
	// Every. Negative means that there is none before the loop is woken.
	Due func() time.Duration

	// Gather is how long a run that was woken waits for more to come. Zero means not at all.
	Gather time.Duration

	// Run does the work. Its context ends with the group. An error makes the loop back off; a panic counts as one.
	Run func(ctx context.Context) error
}

// Loop repeats the work of an area. All methods may be called from several goroutines.
type Loop struct {
	g      *Group
	area   Area
	wake   chan struct{} // holds one wake-up, which survives the run during which it comes
	retry  chan struct{} // holds one request to end a delay after a failure
	synced chan struct{} // closed after the first success

	// Of the goroutine of the loop.
	failing, refused *retry.Sequence

	mu     sync.Mutex
	status Status
}

// Status is a snapshot of a loop.
type Status struct {
	Area     string
	Running  bool
	Runs     uint64    // that ended
	Failures uint64    // of them since the last success
	Err      error     // of the last run
	Success  time.Time // when the last one that succeeded ended
	Next     time.Time // when the next one is due; zero if one is under way, or none before the loop is woken
}

// Wake lets the area run soon: at once if it waits for its interval; after the run that is under way; after the delay if
// the last run failed. Wake-ups that come before the run begins are one.
func (l *Loop) Wake() { signal(l.wake) }

// Retry ends the delay after a failure, for when there is reason to believe that the next run succeeds.
func (l *Loop) Retry() { signal(l.retry) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Synced returns a channel that is closed when a run has succeeded.
func (l *Loop) Synced() <-chan struct{} { return l.synced }

// Status returns a snapshot.
func (l *Loop) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.status
	s.Area = l.area.Name
	return s
}

var errExited = errors.New("the goroutine ended")

// loop runs until the group is stopped.
func (l *Loop) loop() {
	stopped := false
	defer func() {
		if !stopped { // the work ended the goroutine, as runtime.Goexit does
			err := smokerr.Panic(l.area.Name, errExited)
			next := l.ended(err)
			l.g.wg.Go(func() {
				if l.pause(next, err) {
					l.loop()
				}
			})
		}
	}()
	for l.g.ctx.Err() == nil {
		l.began()
		err := l.call(func() error { return l.area.Run(l.g.ctx) })
		if l.g.ctx.Err() != nil {
			l.ended(err)
			break
		}
		if !l.pause(l.ended(err), err) {
			break
		}
	}
	stopped = true
}

// pause waits for the next run. It reports false when the group was stopped.
func (l *Loop) pause(next time.Duration, err error) bool {
	l.tell(err, next)
	if next == 0 {
		return l.g.ctx.Err() == nil
	}
	var due <-chan time.Time
	if next >= 0 {
		timer := time.NewTimer(next)
		defer timer.Stop()
		due = timer.C
	}
	wake, again := l.wake, l.retry
	if err != nil {
		wake = nil // what is new does not shorten the delay
	} else {
		again = nil
	}
	select {
	case <-due:
		return l.g.ctx.Err() == nil
	case <-again:
		return true
	case <-wake:
		if l.area.Gather > 0 {
			return retry.Wait(l.g.ctx, l.area.Gather) == nil
		}
		return true
	case <-l.g.ctx.Done():
		return false
	}
}

func (l *Loop) began() {
	for _, c := range []chan struct{}{l.wake, l.retry} { // this run is what they ask for
		select {
		case <-c:
		default:
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.Running, l.status.Next = true, time.Time{}
}

// ended records a run and returns the time until the next one, negative if there is none before the loop is woken.
func (l *Loop) ended(err error) time.Duration {
	next := l.delay(err)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.status
	s.Running = false
	s.Runs++
	s.Err = err
	s.Next = time.Time{}
	if next >= 0 {
		s.Next = time.Now().Add(next)
	}
	if err != nil {
		s.Failures++
		return next
	}
	s.Failures, s.Success = 0, time.Now()
	select {
	case <-l.synced:
	default:
		close(l.synced)
	}
	return next
}

func (l *Loop) delay(err error) time.Duration {
	if err == nil {
		l.failing.Reset()
		l.refused.Reset()
		return l.interval()
	}
	if refused(err) {
		return l.refused.Next(err)
	}
	return l.failing.Next(err)
}

// interval returns the time until the next run after one that succeeded.
func (l *Loop) interval() time.Duration {
	if l.area.Due != nil {
		next := time.Duration(-1)
		err := l.call(func() error { next = l.area.Due(); return nil })
		if err != nil {
			l.tell(err, 0)
			return l.failing.Next(err)
		}
		return next
	}
	if l.area.Every == 0 {
		return -1
	}
	return time.Duration(float64(l.area.Every) * (0.9 + 0.2*l.g.opts.Rand()))
}

// refused reports whether the hub refuses the device itself: trying soon again is of no use, and looks like an attack.
func refused(err error) bool {
	if response, ok := errors.AsType[*smokerr.ResponseError](err); ok {
		return response.Identity()
	}
	return errors.Is(err, errkit.Auth) || errors.Is(err, errkit.Denied)
}

// call calls a function of the area and makes an error of its panic.
func (l *Loop) call(fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = smokerr.Panic(l.area.Name, v)
		}
	}()
	return fn()
}

func (l *Loop) tell(err error, next time.Duration) {
	logger := l.g.opts.Logger.With(slog.String("module", "smok"), slog.String("area", l.area.Name))
	if err != nil {
		logger.LogAttrs(l.g.ctx, slog.LevelWarn, "failed", slog.Duration("delay", next), errkit.Attr(err))
	}
	if l.g.opts.OnResult == nil {
		return
	}
	if err := l.call(func() error { l.g.opts.OnResult(l.area.Name, err, next); return nil }); err != nil {
		logger.LogAttrs(l.g.ctx, slog.LevelWarn, "hook failed", errkit.Attr(err))
	}
}
