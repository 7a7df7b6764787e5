package smok

import (
	"context"
	"log/slog"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// area is one thing that a device does on its own, such as keeping pathpoints in step with the hub. Areas know each
// other only through the host and through what [Device] hands them when it is made.
type area interface {
	// name is what errors and [Status] call it.
	name() string
	// load takes up what the store has. A damaged record is reported and left out; an error means that the store itself
	// cannot be used.
	load() error
	// tasks returns its loops, none if there is nothing to do.
	tasks() []task
	// flush is the last attempt of [Device.Shutdown] to bring out what the hub does not have yet.
	flush(ctx context.Context) error
}

// task is a loop of an area: run is called at once, then after every interval, and soon after wake. An error, a panic
// included, is reported and lengthens the time until the next call; it never ends the loop.
type task struct {
	name     string
	interval time.Duration
	wake     <-chan struct{} // latched: capacity 1; nil if nothing wakes it
	offline  bool            // it runs without the network as well
	run      func(ctx context.Context) error
}

// host is what areas share.
type host struct {
	opts   Options
	api    *api.Client
	store  *store.Store
	exec   *executor.Executor
	logger *slog.Logger
	life   context.Context // ends when the device closes
}
