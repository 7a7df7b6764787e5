package pikvm_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestMetricsRecorded checks the recorded metrics.
func TestMetricsRecorded(t *testing.T) {
	t.Parallel()
	m, err := replay(t, exchangeNamed(t, "prometheus"), nil).Export.Prometheus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		"pikvm_atx_enabled": 1, "pikvm_atx_power": 0, "pikvm_hw_temp_cpu": 36.511, "pikvm_hw_mem_total": 25276510208,
		"pikvm_gpio_output_state_relay1": 0, "pikvm_fan_monitored": 0,
	} {
		if got, ok := m.Value(name); got != want || !ok {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if _, ok := m.Value("pikvm"); ok || len(m.Samples) != 24 || m.Text == "" {
		t.Errorf("%d samples", len(m.Samples))
	}
}

// TestMetricsFormat checks the text format of Prometheus beyond what the device makes of it.
func TestMetricsFormat(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]pikvm.MetricSample{
		"": nil, "# HELP a b\n\n  \n": nil,
		"a 1\r\nb:c\t-2.5e3 1712345678\n": {{Name: "a", Value: 1}, {Name: "b:c", Value: -2500}},
		`a{} NaN`:                         {{Name: "a", Labels: map[string]string{}, Value: math.NaN()}},
		`a{x="1", y = "q\"\\\n}",} +Inf`:  {{Name: "a", Labels: map[string]string{"x": "1", "y": "q\"\\\n}"}, Value: math.Inf(1)}},
	} {
		got, err := pikvm.ParseMetrics(text)
		if d := cmp.Diff(want, got, cmpopts.EquateNaNs()); d != "" || err != nil {
			t.Errorf("%q (-want +got):\n%s%v", text, d, err)
		}
	}
	for _, text := range []string{"a", "a b", "1a 1", `a{x} 1`, `a{x="1} 1`, `a{x="1"y="2"} 1`, "a 1 x", "<html>"} {
		if got, err := pikvm.ParseMetrics("ok 1\n" + text); err == nil || got != nil {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// TestExport checks metrics of the fake, their age, and texts that are none.
func TestExport(t *testing.T) {
	t.Parallel()
	inBubble(t, &pikvmtest.Options{Host: pikvmtest.HostOptions{PoweredOn: true}}, nil, func(t *testing.T, f *fake) {
		power := func() float64 {
			m, err := f.client.Export.Prometheus(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			v, _ := m.Value("pikvm_gpio_output_online_relay1")
			return v
		}
		if power() != 0 {
			t.Error("the relay is on")
		}
		if err := f.client.GPIO.Switch(t.Context(), "relay1", true, &pikvm.GPIOOptions{Wait: true}); err != nil {
			t.Fatal(err)
		}
		if power() != 0 {
			t.Error("the device renews its metrics at once")
		}
		time.Sleep(5 * time.Second)
		if power() != 1 {
			t.Error("the relay is off")
		}
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Body: []byte("<html>"), Times: 1})
		_, err := f.client.Export.Prometheus(t.Context())
		failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200}.check(t, err)
	})
}
