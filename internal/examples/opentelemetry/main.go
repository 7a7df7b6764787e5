// Command opentelemetry follows a WebSocket server and gives the metrics of its manager to OpenTelemetry, which prints
// them every minute; another exporter sends them to a collector.
//
//	opentelemetry -url wss://feed.example/ws
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"

	"github.com/fieldlink-go/fieldlink/wsclient"
)

func main() {
	url := flag.String("url", "", "WebSocket `address`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exporter, err := stdoutmetric.New()
	if err == nil {
		provider := sdk.NewMeterProvider(sdk.WithReader(sdk.NewPeriodicReader(exporter)))
		err = errors.Join(run(ctx, *url, provider), provider.Shutdown(context.WithoutCancel(ctx)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "opentelemetry:", err)
		os.Exit(1)
	}
}

// run follows the server until ctx is done.
func run(ctx context.Context, url string, provider metric.MeterProvider) error {
	hook, err := newMetrics(provider.Meter("wsclient"))
	if err != nil {
		return err
	}
	opts := wsclient.PresetGateway()
	opts.Metrics = hook
	opts.Receive.Handler = func(context.Context, wsclient.Message) {}
	m, err := wsclient.New(url, &opts)
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// metrics gives the numbers of one manager to OpenTelemetry.
type metrics struct {
	counters   map[string]metric.Int64Counter
	gauges     map[string]metric.Float64Gauge
	histograms map[string]metric.Float64Histogram
}

func newMetrics(meter metric.Meter) (*metrics, error) {
	m := &metrics{
		counters:   make(map[string]metric.Int64Counter),
		gauges:     make(map[string]metric.Float64Gauge),
		histograms: make(map[string]metric.Float64Histogram),
	}
	var err, failed error
	for _, name := range []string{
		wsclient.MetricConnects, wsclient.MetricDisconnects, wsclient.MetricAttempts, wsclient.MetricFailedAttempts,
		wsclient.MetricMessagesReceived, wsclient.MetricMessagesSent, wsclient.MetricBytesReceived,
		wsclient.MetricBytesSent, wsclient.MetricDropped,
	} {
		m.counters[name], err = meter.Int64Counter("wsclient." + name)
		failed = errors.Join(failed, err)
	}
	m.gauges[wsclient.MetricState], err = meter.Float64Gauge("wsclient." + wsclient.MetricState)
	failed = errors.Join(failed, err)
	for _, name := range []string{wsclient.MetricRTT, wsclient.MetricUptime} {
		m.histograms[name], err = meter.Float64Histogram("wsclient."+name, metric.WithUnit("s"))
		failed = errors.Join(failed, err)
	}
	return m, failed
}

// Names that a later version of wsclient adds are left out.

func (m *metrics) Add(name string, n uint64) {
	if c, ok := m.counters[name]; ok {
		c.Add(context.Background(), int64(n))
	}
}

func (m *metrics) Set(name string, value float64) {
	if g, ok := m.gauges[name]; ok {
		g.Record(context.Background(), value)
	}
}

func (m *metrics) Observe(name string, value float64) {
	if h, ok := m.histograms[name]; ok {
		h.Record(context.Background(), value)
	}
}
