package pikvm

import "context"

// Export shows what the device measures in the form that Prometheus collects. All methods may be called from several
// goroutines at once.
type Export struct{ c *Client }

// Metrics are what the device measures at a moment. The device renews them every 5s.
type Metrics struct {
	Samples []MetricSample // in the order of the text

	// Text is what the device sent, in the text format of Prometheus.
	Text string
}

// Value returns the value of the first sample of this name, and false if there is none.
func (m *Metrics) Value(name string) (float64, bool) {
	for _, s := range m.Samples {
		if s.Name == name {
			return s.Value, true
		}
	}
	return 0, false
}

// Prometheus asks for the metrics. Names are "pikvm_atx_power", "pikvm_hw_temp_cpu" and the like; of a GPIO channel the
// device gives the state under "pikvm_gpio_output_online_..." too. A text in another format is [ErrResponse].
func (e *Export) Prometheus(ctx context.Context) (*Metrics, error) {
	k := call{op: "export.Prometheus", method: "GET", path: "/api/export/prometheus/metrics"}
	var metrics *Metrics
	do := func(ctx context.Context) error {
		a, err := e.c.fetch(ctx, &k)
		if err != nil {
			return err
		}
		text := string(a.body)
		samples, err := parseMetrics(text)
		if err != nil {
			return e.c.responseError(&k, a, err)
		}
		metrics = &Metrics{Samples: samples, Text: text}
		return nil
	}
	if e.c.retry == nil {
		return metrics, do(ctx)
	}
	return metrics, e.c.repeat(ctx, k.op, e.c.retry, do)
}
