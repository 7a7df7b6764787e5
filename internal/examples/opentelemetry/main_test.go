package main

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestRun lets the server send two messages, ends the program, and looks at what the metrics have become.
func TestRun(t *testing.T) {
	read := make(chan struct{})
	srv, err := wstest.Start(&wstest.Options{Handler: func(conn *wsconn.Conn) {
		conn.Write(wsconn.Text, []byte("one"))
		conn.Write(wsconn.Text, []byte("four"))
		go func() {
			conn.Ping(context.Background()) // the pong says that both were read
			close(read)
		}()
		conn.Read(nil)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	reader := sdk.NewManualReader()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- run(ctx, srv.URL(), sdk.NewMeterProvider(sdk.WithReader(reader))) }()
	<-read
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				got[m.Name] = float64(data.DataPoints[0].Value)
			case metricdata.Gauge[float64]:
				got[m.Name] = data.DataPoints[0].Value
			case metricdata.Histogram[float64]:
				got[m.Name] = float64(data.DataPoints[0].Count)
			}
		}
	}
	want := map[string]float64{
		"wsclient.attempts": 1, "wsclient.connects": 1, "wsclient.disconnects": 1,
		"wsclient.messages_received": 2, "wsclient.bytes_received": 7,
		"wsclient.state": float64(wsclient.StateClosed), "wsclient.uptime_seconds": 1,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("metrics (-want +got):\n%s", d)
	}
}
