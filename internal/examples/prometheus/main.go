// Command prometheus follows a WebSocket server and shows the metrics of its manager to Prometheus.
//
//	prometheus -url wss://feed.example/ws -listen 127.0.0.1:9464
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/fieldlink-go/fieldlink/wsclient"
)

func main() {
	url := flag.String("url", "", "WebSocket `address`")
	listen := flag.String("listen", "127.0.0.1:9464", "`address` of the metrics")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", *listen)
	if err == nil {
		err = run(ctx, *url, l)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "prometheus:", err)
		os.Exit(1)
	}
}

// run follows the server and serves /metrics on l until ctx is done.
func run(ctx context.Context, url string, l net.Listener) error {
	registry := prometheus.NewRegistry()
	opts := wsclient.PresetGateway()
	opts.Metrics = newMetrics(registry, "feed")
	opts.Receive.Handler = func(context.Context, wsclient.Message) {}
	m, err := wsclient.New(url, &opts)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer m.Close()

	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	var serving sync.WaitGroup
	defer serving.Wait()
	serving.Go(func() { _ = srv.Serve(l) }) // it ends with Close
	defer srv.Close()

	if err := m.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// metrics gives the numbers of one manager to Prometheus.
type metrics struct {
	counters   map[string]prometheus.Counter
	gauges     map[string]prometheus.Gauge
	histograms map[string]prometheus.Observer
}

func newMetrics(r prometheus.Registerer, manager string) *metrics {
	labels := prometheus.Labels{"manager": manager}
	m := &metrics{
		counters:   make(map[string]prometheus.Counter),
		gauges:     make(map[string]prometheus.Gauge),
		histograms: make(map[string]prometheus.Observer),
	}
	for _, name := range []string{
		wsclient.MetricConnects, wsclient.MetricDisconnects, wsclient.MetricAttempts, wsclient.MetricFailedAttempts,
		wsclient.MetricMessagesReceived, wsclient.MetricMessagesSent, wsclient.MetricBytesReceived,
		wsclient.MetricBytesSent, wsclient.MetricDropped,
	} {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "wsclient", Name: name + "_total", ConstLabels: labels})
		r.MustRegister(c)
		m.counters[name] = c
	}
	state := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "wsclient", Name: wsclient.MetricState, ConstLabels: labels})
	r.MustRegister(state)
	m.gauges[wsclient.MetricState] = state
	for name, buckets := range map[string][]float64{
		wsclient.MetricRTT:    prometheus.ExponentialBuckets(0.001, 4, 8), // 1 ms to 16 s
		wsclient.MetricUptime: prometheus.ExponentialBuckets(1, 6, 9),     // 1 s to 19 days
	} {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "wsclient", Name: name, ConstLabels: labels, Buckets: buckets,
		})
		r.MustRegister(h)
		m.histograms[name] = h
	}
	return m
}

// Names that a later version of wsclient adds are left out.

func (m *metrics) Add(name string, n uint64) {
	if c, ok := m.counters[name]; ok {
		c.Add(float64(n))
	}
}

func (m *metrics) Set(name string, value float64) {
	if g, ok := m.gauges[name]; ok {
		g.Set(value)
	}
}

func (m *metrics) Observe(name string, value float64) {
	if h, ok := m.histograms[name]; ok {
		h.Observe(value)
	}
}
