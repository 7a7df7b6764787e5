package ngtt_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// ignore is a handler that answers nothing.
func ignore(context.Context, *ngtt.Order) {}

func TestFetchOrdersExactlyOncePerConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		c := b.client(ngtt.Options{Handler: ignore})
		for n := range 3 {
			c.states.await(t, ngtt.StateConnected, n+1)
			synctest.Wait()
			if got := b.hub.Received(device, wire.TypeFetchOrders); got != n+1 {
				t.Errorf("connection %d: %d FETCH_ORDERS", n+1, got)
			}
			b.conn().Cut()
		}
	})
}

func TestNoFetchOrdersWithoutHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		c := b.client(ngtt.Options{})
		b.hub.Enqueue(device, body("W1"))
		c.states.await(t, ngtt.StateConnected, 1)
		time.Sleep(5 * time.Minute)
		if got := b.hub.Received(device, wire.TypeFetchOrders); got != 0 {
			t.Errorf("%d FETCH_ORDERS", got)
		}
		if counts := b.hub.Counts(device); counts.Delivered != 0 || counts.Connections != 1 {
			t.Errorf("%+v", counts)
		}
	})
}

// A ping goes out after 30 s of silence, is answered under its tid, and the link lives for hours.
func TestPingAfter30sIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		b.network.Latency(netem.Both, 20*time.Millisecond)
		c := b.client(ngtt.Options{Handler: ignore})
		c.states.await(t, ngtt.StateConnected, 1)
		time.Sleep(29 * time.Second)
		if got := b.hub.Received(device, wire.TypePing); got != 0 {
			t.Errorf("%d pings after 29s", got)
		}
		time.Sleep(2 * time.Second)
		if got := b.hub.Received(device, wire.TypePing); got != 1 {
			t.Errorf("%d pings after 31s", got)
		}
		if rtt := c.Stats().RTT; rtt != 40*time.Millisecond {
			t.Errorf("round trip of %v", rtt)
		}
		time.Sleep(6 * time.Hour)
		if counts := b.hub.Counts(device); counts.Connections != 1 {
			t.Errorf("%+v", counts)
		}
		if got := b.hub.Received(device, wire.TypePing); got < 700 || got > 721 {
			t.Errorf("%d pings in six hours", got)
		}
	})
}

func TestPongTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		b.hub.SetFaults(ngtttest.Faults{WithholdPongs: true})
		began := time.Now()
		c := b.client(ngtt.Options{Handler: ignore})
		status := c.states.await(t, ngtt.StateDisconnected, 1)
		if after := time.Since(began); after != 60*time.Second {
			t.Errorf("ended after %v, want 30s to the ping and 30s for the pong", after)
		}
		wantFailure(t, status.Err, ngtt.ReasonPingTimeout, false)
		if !errors.Is(status.Err, errkit.Timeout) || !errors.Is(status.Err, errkit.Disconnected) {
			t.Errorf("kinds of %v", status.Err)
		}
	})
}

// A late pong is good enough as long as it is not too late.
func TestLatePong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		b.hub.SetFaults(ngtttest.Faults{PongDelay: 29 * time.Second})
		c := b.client(ngtt.Options{Handler: ignore})
		c.states.await(t, ngtt.StateConnected, 1)
		time.Sleep(time.Hour)
		if counts := b.hub.Counts(device); counts.Connections != 1 {
			t.Errorf("%+v", counts)
		}
	})
}

// With pings that take long to be missed, silence alone ends the connection.
func TestReadIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		b.hub.SetFaults(ngtttest.Faults{WithholdPongs: true})
		c := b.client(ngtt.Options{Handler: ignore, PongTimeout: time.Hour})
		c.states.await(t, ngtt.StateConnected, 1)
		began := time.Now()
		status := c.states.await(t, ngtt.StateDisconnected, 1)
		if after := time.Since(began); after != 120*time.Second {
			t.Errorf("ended after %v", after)
		}
		wantFailure(t, status.Err, ngtt.ReasonPingTimeout, false)
		// The hub's side of the agreement: something comes at least once a minute.
		if got := b.hub.Received(device, wire.TypePing); got != 3 {
			t.Errorf("%d pings", got)
		}
	})
}

// A peer that has died and still swallows what is written is found out by the ping's own deadline.
func TestHalfOpenConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		c := b.client(ngtt.Options{})
		c.states.await(t, ngtt.StateConnected, 1)
		began := time.Now()
		b.network.HalfOpen()
		for range 5 {
			time.Sleep(10 * time.Second)
			if err := c.StreamLogs(t.Context(), []string{"still here"}); err != nil {
				t.Fatal(err) // which postpones the ping
			}
		}
		status := c.states.await(t, ngtt.StateDisconnected, 1)
		wantFailure(t, status.Err, ngtt.ReasonPingTimeout, false)
		if after := time.Since(began); after > 2*time.Minute {
			t.Errorf("found out after %v", after)
		}
	})
}

// A hub that takes no bytes ends the connection by the deadline of the write.
func TestStalledWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		c := b.client(ngtt.Options{PingInterval: 59 * time.Second, PongTimeout: time.Hour, ReadIdleTimeout: time.Hour})
		c.states.await(t, ngtt.StateConnected, 1)
		b.network.Stall(netem.Up)
		began := time.Now()
		logs := make([]byte, 1<<20)
		if err := c.StreamLogs(t.Context(), logs); err != nil {
			t.Fatal(err)
		}
		status := c.states.await(t, ngtt.StateDisconnected, 1)
		if after := time.Since(began); after < 30*time.Second || after > 40*time.Second {
			t.Errorf("ended after %v", after)
		}
		wantFailure(t, status.Err, ngtt.ReasonIO, false)
		if !errors.Is(status.Err, errkit.Timeout) {
			t.Errorf("kinds of %v", status.Err)
		}
	})
}

func TestHubPingIsAnsweredAtMostOncePerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		c := b.client(ngtt.Options{Handler: ignore})
		c.states.await(t, ngtt.StateConnected, 1)
		conn := b.conn()
		for tid := range uint16(5) {
			conn.Ping(40000 + tid)
		}
		synctest.Wait()
		if got := b.hub.Received(device, wire.TypePing); got != 1 || !conn.Answered(40000) {
			t.Errorf("%d answers", got)
		}
		time.Sleep(time.Second)
		conn.Ping(40100)
		synctest.Wait()
		if got := b.hub.Received(device, wire.TypePing); got != 2 || !conn.Answered(40100) {
			t.Errorf("%d answers", got)
		}
	})
}

// The delays grow as 1, 2, 4, 8, 16, 30, 30 seconds at most, and lie anywhere between nothing and that.
func TestBackoffSequenceAndJitterBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		hub := ngtttest.New(nil)
		cred := issue(t, hub, ngtttest.Device{ID: device})
		highest := make([]time.Duration, 8)
		for range 200 {
			states := newStates()
			client, err := ngtt.New(cred, &ngtt.Options{
				Addr: "hub.test", RootCAs: hub.RootCAs(), DialContext: network.DialContext, OnStateChange: states.add,
			})
			if err != nil {
				t.Fatal(err)
			}
			go func() { _ = client.Run(t.Context()) }()
			for i := range highest {
				status := states.await(t, ngtt.StateDisconnected, i+1)
				limit := min(time.Second<<i, 30*time.Second)
				if status.RetryIn < 0 || status.RetryIn > limit || status.Attempt != i+1 {
					t.Errorf("delay %d is %v, the limit %v, attempt %d", i+1, status.RetryIn, limit, status.Attempt)
				}
				highest[i] = max(highest[i], status.RetryIn)
				wantFailure(t, status.Err, ngtt.ReasonDial, true)
			}
			_ = client.Close()
		}
		for i, got := range highest {
			if limit := min(time.Second<<i, 30*time.Second); got < limit*8/10 {
				t.Errorf("the longest of 200 delays %d is %v: full jitter reaches %v", i+1, got, limit)
			}
		}
	})
}

// Hubs that accept and drop at once are not hammered, and a stable connection ends the outage.
func TestBackoffResetsOnlyAfterStable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		c := b.client(ngtt.Options{Backoff: retry.Backoff{Jitter: retry.JitterNone}})
		var delays []time.Duration
		for n := range 4 {
			c.states.await(t, ngtt.StateConnected, n+1)
			b.conn().Cut()
			delays = append(delays, c.states.await(t, ngtt.StateDisconnected, n+1).RetryIn)
		}
		want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}
		for i := range want {
			if delays[i] != want[i] {
				t.Errorf("delay %d is %v, want %v", i+1, delays[i], want[i])
			}
		}
		c.states.await(t, ngtt.StateConnected, 5)
		time.Sleep(31 * time.Second)
		b.conn().Cut()
		if got := c.states.await(t, ngtt.StateDisconnected, 5).RetryIn; got != 0 {
			t.Errorf("after a stable connection: %v", got)
		}
	})
}

func TestBackoffResetsAfterAnOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		c := b.client(ngtt.Options{Backoff: retry.Backoff{Jitter: retry.JitterNone}, Handler: newExecuted().ackAll(t)})
		for n := range 3 {
			c.states.await(t, ngtt.StateConnected, n+1)
			b.conn().Cut()
		}
		c.states.await(t, ngtt.StateConnected, 4)
		b.hub.Enqueue(device, body("W1"))
		b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == 1 })
		b.conn().Cut()
		if got := c.states.await(t, ngtt.StateDisconnected, 4).RetryIn; got != 0 {
			t.Errorf("after an order: %v", got)
		}
	})
}

// wantFailure checks the fields of a ConnectionFailedError.
func wantFailure(t testing.TB, err error, reason ngtt.Reason, noInternet bool) {
	t.Helper()
	failed, ok := errors.AsType[*ngtt.ConnectionFailedError](err)
	if !ok || !errors.Is(err, ngtt.ErrConnectionFailed) || !errors.Is(err, ngtt.Err) || !errors.Is(err, errkit.Err) {
		t.Errorf("error %v is no connection that failed", err)
		return
	}
	if failed.Reason != reason || failed.NoInternet != noInternet {
		t.Errorf("%v: reason %q, no internet %v; want %q, %v", err, failed.Reason, failed.NoInternet, reason, noInternet)
	}
}
