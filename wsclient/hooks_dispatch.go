//go:build !js

package wsclient

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// maxHooks is how many calls of hooks may wait.
const maxHooks = 256

// dispatcher calls hooks, in order.
type dispatcher struct {
	hooks  Hooks
	serial serial
	panics atomic.Uint64
	log    *slog.Logger

	told StateChange // the last one that OnStateChange got; only the calls themselves use it
}

// call lets f, which calls the hook of that name, run after the calls before it.
func (d *dispatcher) call(name string, f func()) {
	d.serial.run(func() { d.guard(name, f) }, false)
}

// mention is call for what may be left out before others if too much waits.
func (d *dispatcher) mention(name string, f func()) {
	d.serial.run(func() { d.guard(name, f) }, true)
}

// guard runs a function of the program and recovers its panic. It reports whether there was none.
func (d *dispatcher) guard(name string, f func()) (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			d.panicked(name, v)
		}
	}()
	f()
	return true
}

func (d *dispatcher) panicked(name string, value any) {
	d.panics.Add(1)
	d.log.LogAttrs(context.Background(), slog.LevelError, "callback panicked",
		slog.String("module", module), slog.String("callback", name), slog.String("stack", string(debug.Stack())))
	if d.hooks.OnPanic == nil {
		return
	}
	defer func() { _ = recover() }() // there is nobody left to tell
	d.hooks.OnPanic(name, value)
}

// stateChange tells of a change, and of those before it that were left out.
func (d *dispatcher) stateChange(c StateChange) {
	if f := d.hooks.OnStateChange; f != nil {
		d.mention("OnStateChange", func() {
			c.From, c.Skipped = d.told.To, int(c.Seq-d.told.Seq-1)
			d.told = c
			f(c)
		})
	}
}

// attempt returns a channel that is closed when OnAttempt has returned; nil if there is nothing to wait for.
func (d *dispatcher) attempt(a Attempt) <-chan struct{} {
	f := d.hooks.OnAttempt
	if f == nil {
		return nil
	}
	return d.awaitable("OnAttempt", true, func() { f(a) })
}

func (d *dispatcher) attemptFailed(failure AttemptFailure) {
	if f := d.hooks.OnAttemptFailed; f != nil {
		d.mention("OnAttemptFailed", func() { f(failure) })
	}
}

// connect returns a channel that is closed when OnConnect has returned; nil if there is nothing to wait for.
func (d *dispatcher) connect(info ConnectInfo) <-chan struct{} {
	f := d.hooks.OnConnect
	if f == nil {
		return nil
	}
	return d.awaitable("OnConnect", false, func() { f(info) })
}

// awaitable is call, or mention, with a channel that is closed when f has returned.
func (d *dispatcher) awaitable(name string, minor bool, f func()) <-chan struct{} {
	done := make(chan struct{})
	if !d.serial.run(func() {
		defer close(done)
		d.guard(name, f)
	}, minor) {
		return nil
	}
	return done
}

// hookPatience is how long others wait for a hook that comes before them.
const hookPatience = time.Second

// awaitHook waits for a hook, but not for long, and not after stop.
func awaitHook(done, stop <-chan struct{}) {
	if done == nil {
		return
	}
	patience := time.NewTimer(hookPatience)
	defer patience.Stop()
	select {
	case <-done:
	case <-stop:
	case <-patience.C:
	}
}

func (d *dispatcher) disconnect(info DisconnectInfo) {
	if f := d.hooks.OnDisconnect; f != nil {
		d.call("OnDisconnect", func() { f(info) })
	}
}

func (d *dispatcher) giveUp(err error) {
	if f := d.hooks.OnGiveUp; f != nil {
		d.call("OnGiveUp", func() { f(err) })
	}
}

func (d *dispatcher) alert(message string, context map[string]any) {
	if f := d.hooks.OnAlert; f != nil {
		d.mention("OnAlert", func() { f("websocket", message, context) })
	}
}

func (d *dispatcher) subscribeError(key string, err error) {
	if f := d.hooks.OnSubscribeError; f != nil {
		d.call("OnSubscribeError", func() { f(key, err) })
	}
}
