package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
)

// forward sends each line as a reading, one after the other, until there are no more or ctx is done. A collector that does
// not want this gateway is an error.
func forward(ctx context.Context, s settings, lines <-chan string, log *slog.Logger) error {
	opts := sioclient.Options{
		ReconnectionDelay:    s.delay,
		ReconnectionDelayMax: max(s.delay, time.Minute),
		Logger:               log,
		Socket: sioclient.SocketOptions{
			Auth:       identity{s.device, rand.Text(), s.token},
			Retries:    math.MaxInt32, // until it is acknowledged: the limit is the end of ctx
			AckTimeout: 10 * time.Second,
		},
	}
	opts.Engine.DialContext = s.dial
	manager, err := sioclient.NewManager(s.url, &opts)
	if err != nil {
		return err
	}
	defer manager.Close()
	socket, err := manager.Socket("/", nil)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	socket.OnConnectError(func(err error) {
		if errors.Is(err, sioclient.ErrConnectionRefused) { // there are no further attempts
			end(err)
		}
	})
	socket.OnConnect(func() { log.Info("connected", "recovered", socket.Recovered()) })
	var offset atomic.Uint64 // the bits of a float64
	sioclient.On1(socket, "calibrate", func(add float64) {
		offset.Store(math.Float64bits(add))
		log.Info("calibrated", "offset", add)
	})
	if err := socket.Open(); err != nil { // the collector may be away now, and come later
		return err
	}
	for number := 1; ; number++ {
		select {
		case line, ok := <-lines:
			if !ok {
				return nil
			}
			value, err := strconv.ParseFloat(line, 64)
			if err != nil {
				return fmt.Errorf("not a reading: %w", err)
			}
			r := reading{number, value + math.Float64frombits(offset.Load())}
			if _, err := socket.Call(ctx, "reading", r); err != nil {
				return fmt.Errorf("reading %d may be lost: %w", number, cause(ctx, err))
			}
		case <-ctx.Done():
			return cause(ctx, nil)
		}
	}
}

// cause returns the refusal that ended ctx, if one did, otherwise err.
func cause(ctx context.Context, err error) error {
	if refused := context.Cause(ctx); errors.Is(refused, sioclient.ErrConnectionRefused) {
		return refused
	}
	return err
}
