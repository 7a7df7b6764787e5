package pikvm_test

import (
	"testing"

	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// BenchmarkSessionKey sends keys over a socket of the loopback device, in the manner of somebody who plays a recording, and
// counts at the host that all of them arrive. An operation is one press or one release.
func BenchmarkSessionKey(b *testing.B) {
	for _, bench := range []struct {
		name string
		opts pikvm.EventOptions
	}{{"binary", pikvm.EventOptions{}}, {"text", pikvm.EventOptions{TextInput: true}}} {
		b.Run(bench.name, func(b *testing.B) {
			device := pikvmtest.New(nil)
			if err := device.Start(); err != nil {
				b.Fatal(err)
			}
			defer device.Close()
			client, err := pikvm.New(device.URL(), &pikvm.Options{Password: "admin"})
			if err != nil {
				b.Fatal(err)
			}
			defer client.Close()
			session, err := client.Events(b.Context(), &bench.opts)
			if err != nil {
				b.Fatal(err)
			}
			known := func(s *pikvm.State) bool { return s.Version() != (pikvm.Version{}) }
			if _, err := session.Wait(b.Context(), known); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			device.ClearHIDLog()
			sent, arrived := 0, 0
			collect := func() { // a pong comes after everything before its ping
				if _, err := session.Ping(b.Context()); err != nil {
					b.Fatal(err)
				}
				arrived += len(device.HIDLog())
				device.ClearHIDLog()
			}
			stroke := pikvm.Press
			for b.Loop() {
				if err := session.Key(b.Context(), pikvm.KeyA, stroke); err != nil {
					b.Fatal(err)
				}
				stroke = pikvm.Press + pikvm.Release - stroke
				if sent++; sent%1000 == 0 { // before the log is full
					collect()
				}
			}
			collect()
			if arrived != sent {
				b.Fatalf("%d of %d events have arrived", arrived, sent)
			}
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
