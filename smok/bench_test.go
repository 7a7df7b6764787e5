package smok_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
)

// benchDevice makes a device of a hub on 127.0.0.1.
func benchDevice(b *testing.B, opts smok.Options) *smok.Device {
	b.Helper()
	hub := smoktest.New(nil)
	if err := hub.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = hub.Close() })
	opts.BaseURL, opts.RootCAs, opts.Auth = hub.URL(), hub.RootCAs(), smok.AuthMTLS
	d, err := smok.New(credentials(b, hub), &opts)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = d.Close() })
	return d
}

// heap returns the bytes of the heap that are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkPathpoints shows what 10,000 pathpoints take that can be read and written, have a value each, and are archived.
func BenchmarkPathpoints(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		b.StopTimer()
		d := benchDevice(b, smok.Options{Offline: true, Store: store.Memory(&store.MemoryOptions{MaxValues: 1 << 10})})
		before := heap()
		b.StartTimer()
		updates := make([]smok.Update, 0, n)
		for i := range n {
			p, err := d.Register(fmt.Sprintf("W%dr4002", i), smok.Trend, &smok.PathpointOptions{
				Read:  func(context.Context, smok.Advise) (any, error) { return i, nil },
				Write: func(context.Context, any, smok.Advise) error { return nil },
			})
			if err != nil {
				b.Fatal(err)
			}
			updates = append(updates, smok.Update{Pathpoint: p, Value: i})
			if len(updates) == 10 {
				if err := d.Set(b.Context(), updates...); err != nil {
					b.Fatal(err)
				}
				updates = updates[:0]
			}
		}
		b.StopTimer()
		used := heap() - before
		b.ReportMetric(float64(used)/(1<<20), "MiB")
		if used > 20<<20 {
			b.Errorf("%d bytes", used)
		}
		runtime.KeepAlive(d)
		_ = d.Close()
		b.StartTimer()
	}
}

// BenchmarkIdle shows the share of a core that a device takes that is in step with its hub and has nothing to do.
func BenchmarkIdle(b *testing.B) {
	d := benchDevice(b, smok.Options{})
	for i := range 1000 {
		if _, err := d.Register(fmt.Sprintf("W%d", i), smok.Trend, nil); err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(b.Context())
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx) }()
	if err := d.WaitSynced(ctx); err != nil {
		b.Fatal(err)
	}
	used, took := time.Duration(0), time.Duration(0)
	for b.Loop() {
		begin, cpu := time.Now(), cpuTime(b)
		time.Sleep(20 * time.Second)
		used += cpuTime(b) - cpu
		took += time.Since(begin)
	}
	cancel()
	<-ran
	b.ReportMetric(100*used.Seconds()/took.Seconds(), "%core")
}

// BenchmarkSet shows how fast values are stored durably: each alone, many in one call, and as many records of the same size
// without a device.
func BenchmarkSet(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			s, err := diskstore.Open(b.TempDir(), nil)
			if err != nil {
				b.Fatal(err)
			}
			d := benchDevice(b, smok.Options{Offline: true, Store: s})
			points := make([]*smok.Pathpoint, n)
			for i := range points {
				if points[i], err = d.Register(fmt.Sprintf("W%dr4002", i), smok.Trend, nil); err != nil {
					b.Fatal(err)
				}
			}
			at := time.Now()
			updates := make([]smok.Update, n)
			b.ReportAllocs()
			for b.Loop() {
				at = at.Add(time.Millisecond)
				for i, p := range points {
					updates[i] = smok.Update{Pathpoint: p, Time: at, Value: i}
				}
				if err := d.Set(b.Context(), updates...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "values/s")
			b.ReportMetric(float64(d.Status().Values.Bytes)/float64(d.Status().Values.Waiting), "B/value")
		})
	}
	b.Run("bare", func(b *testing.B) {
		s, err := diskstore.Open(b.TempDir(), nil)
		if err != nil {
			b.Fatal(err)
		}
		benchDevice(b, smok.Options{Offline: true, Store: s})
		entries := make([]store.Entry, 100)
		for i := range entries {
			entries[i].Payload = fmt.Appendf(nil, "\x07W%dr4002\x02", i)
		}
		for b.Loop() {
			if _, err := s.Trend.AppendBatch(b.Context(), entries); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "values/s")
	})
}
