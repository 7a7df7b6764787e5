package smok

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/logship"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// host is what areas share.
type host struct {
	opts        Options // with defaults filled in
	id          string  // of the device, by its certificate
	credentials *ngtt.Credentials
	api         *api.Client
	store       *store.Store
	state       *store.Table // over store.State; the keys of an area begin with its name and a slash
	exec        *executor.Executor
	clock       *clock
	logger      *slog.Logger
	life        context.Context // ends when the device closes, after the last flush

	offline atomic.Bool
	replies atomic.Uint64 // of the hub, whatever they said
	link    atomic.Int32  // what is known of the link: linkUnknown, linkUp or linkDown
	closing atomic.Bool   // no new work: set when Shutdown begins
	closed  atomic.Bool   // set when the sections that were under way have ended
}

const (
	linkUnknown = iota
	linkUp
	linkDown
)

// allow reports why op cannot be called: the device is closed, or its area is off.
func (h *host) allow(op string, off bool) error {
	if h.closed.Load() {
		return smokerr.Closed(op)
	}
	if off {
		return smokerr.ErrUnavailable.Wrap(op, "", nil)
	}
	return nil
}

// ignoreMissing returns nil for what is not stored.
func ignoreMissing(err error) error {
	if errors.Is(err, smokerr.ErrNotFound) {
		return nil
	}
	return err
}

// online reports whether tasks may use the network.
func (h *host) online() bool { return !h.offline.Load() }

// report tells the program of what went wrong in the background.
func (h *host) report(area string, err error) {
	if err == nil {
		return
	}
	logger := h.logger
	if area == logsName { // what is wrong with the sending of logs is not sent as a log
		logger = slog.New(logship.Mute(logger.Handler()))
	}
	logger.LogAttrs(context.Background(), slog.LevelWarn, "failed", slog.String("area", area), errkit.Attr(err))
	if h.opts.OnError != nil {
		h.guard("OnError", func() { h.opts.OnError(area, err) })
	}
}

// guard calls a function of the program that returns nothing. A panic is logged, and told unless OnError itself panicked.
func (h *host) guard(hook string, fn func()) {
	if err := h.try(hook, func() error { fn(); return nil }); err != nil {
		if hook == "OnError" {
			h.logger.LogAttrs(context.Background(), slog.LevelWarn, "hook failed", errkit.Attr(err))
			return
		}
		h.report(hook, err)
	}
}

// try calls a function of the program and makes an error of its panic.
func (h *host) try(op string, fn func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = smokerr.Panic(op, v)
		}
	}()
	return fn()
}
