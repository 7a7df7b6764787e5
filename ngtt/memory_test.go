package ngtt_test

import (
	"bytes"
	"context"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
)

// heap returns how many bytes are in use. In a bubble, all is quiet by then.
func heap() int64 {
	synctest.Wait()
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools keep goes with the second one
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// An order without a proof is remembered by its hash: neither its body nor its connection stays in memory.
func TestRememberedOrdersAreSmall(t *testing.T) {
	const orders, size = 100, 256 << 10
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		b.hub.SetFaults(ngtttest.Faults{WithholdPongs: true})
		c := b.client(ngtt.Options{Handler: func(ctx context.Context, o *ngtt.Order) { _ = o.Ack(ctx) }})
		before := heap()
		for i := range orders {
			long, err := minijson.Marshal([]any{i, bytes.Repeat([]byte("x"), size)})
			if err != nil {
				t.Fatal(err)
			}
			b.hub.Enqueue(device, long)
			b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == i+1 })
		}
		synctest.Wait()
		if got := c.Stats().Remembered; got != orders {
			t.Errorf("%d orders remembered", got)
		}
		if grown := heap() - before; grown > orders*size/4 {
			t.Errorf("%d bytes more in use", grown)
		}
	})
}

func TestRememberedOrdersLetTheirConnectionsGo(t *testing.T) {
	const orders = 100
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, ngtttest.Options{})
		done := newExecuted()
		c := b.client(ngtt.Options{Handler: done.ackAll(t), Backoff: retry.Backoff{Base: -1}})
		var before int64
		for i := range orders {
			b.hub.Enqueue(device, bodies(i, 1)...)
			b.wait(func(c ngtttest.Counts) bool { return c.Confirmed == i+1 })
			b.network.Cut(netem.RST)
			c.states.await(t, ngtt.StateDisconnected, i+1)
			if i == orders/10 {
				before = heap()
			}
		}
		if got := c.Stats().Remembered; got != orders {
			t.Errorf("%d orders remembered", got)
		}
		// A connection with its buffers and its network has some 100 KiB; what the collector frees late is less.
		if grown := heap() - before; grown > orders*16<<10 {
			t.Errorf("%d bytes more in use", grown)
		}
	})
}
