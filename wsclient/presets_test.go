//go:build !js

package wsclient_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient"
)

// What a program sets comes before a configuration, and that before the defaults.
func TestOB04Precedence(t *testing.T) {
	t.Parallel()
	limits, _ := wsclient.LimitsFromMap(map[string]any{"websocket": map[string]any{
		"ping":      map[string]any{"interval": 7, "timeout": 8},
		"reconnect": map[string]any{"delay": 0, "max_attempts": 0},
		"queue":     map[string]any{"size": 0},
	}})
	var got wsclient.Options
	got.Heartbeat.PingInterval = 3 * time.Millisecond // less than a configuration may say
	limits.Apply(&got)
	want := wsclient.Options{
		Dial:      wsclient.DialOptions{HandshakeTimeout: 30 * time.Second},
		Heartbeat: wsclient.HeartbeatOptions{PingInterval: 3 * time.Millisecond, PingTimeout: 8 * time.Second},
		Reconnect: wsclient.ReconnectOptions{
			Backoff: retry.Backoff{Base: -1, Cap: time.Minute}, MaxAttempts: wsclient.NoRetry,
		},
		Control: wsclient.ControlOptions{
			DisconnectCheckInterval: 10 * time.Second, ReconnectCheckInterval: 5 * time.Second,
			DisconnectMargin: 5 * time.Minute,
		},
		Receive: wsclient.ReceiveOptions{MaxMessages: wsclient.Unlimited},
	}
	compareOptions(t, want, got)

	limits = wsclient.Limits{
		PingInterval: 1, PingTimeout: 2, ConnectionTimeout: 3, ReconnectDelay: 4, MaxReconnectDelay: 5,
		MaxReconnectAttempts: 6, DisconnectCheckInterval: 7, ReconnectCheckInterval: 8, DisconnectMargin: 9, QueueSize: 10,
	}
	want = wsclient.Options{
		Dial:      wsclient.DialOptions{HandshakeTimeout: 3},
		Heartbeat: wsclient.HeartbeatOptions{PingInterval: 1, PingTimeout: 2},
		Reconnect: wsclient.ReconnectOptions{Backoff: retry.Backoff{Base: 4, Cap: 5}, MaxAttempts: 6},
		Control: wsclient.ControlOptions{
			DisconnectCheckInterval: 7, ReconnectCheckInterval: 8, DisconnectMargin: 9,
		},
		Receive: wsclient.ReceiveOptions{MaxMessages: 10},
	}
	got = wsclient.Options{}
	limits.Apply(&got)
	compareOptions(t, want, got)
	wsclient.Limits{
		PingInterval: 99, PingTimeout: 99, ConnectionTimeout: 99, ReconnectDelay: 99, MaxReconnectDelay: 99,
		MaxReconnectAttempts: 99, DisconnectCheckInterval: 99, ReconnectCheckInterval: 99, DisconnectMargin: 99,
		QueueSize: 99,
	}.Apply(&got)
	compareOptions(t, want, got)
}

func TestPresets(t *testing.T) {
	t.Parallel()
	gateway := wsclient.Options{
		Dial: wsclient.DialOptions{UserTimeout: 30 * time.Second},
		Reconnect: wsclient.ReconnectOptions{
			Backoff:     retry.Backoff{Base: time.Second, Cap: 5 * time.Minute, StableAfter: 30 * time.Second},
			MaxAttempts: wsclient.Unlimited,
		},
		Send: wsclient.SendOptions{Mode: wsclient.SendQueued},
	}
	preset := func(interval, timeout int, base, limit float64, attempts, disconnect, reconnect int) wsclient.Options {
		s := func(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
		return wsclient.Options{
			Dial:      wsclient.DialOptions{HandshakeTimeout: 30 * time.Second},
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: s(float64(interval)), PingTimeout: s(float64(timeout))},
			Reconnect: wsclient.ReconnectOptions{
				Backoff: retry.Backoff{Base: s(base), Cap: s(limit)}, MaxAttempts: attempts,
			},
			Control: wsclient.ControlOptions{
				DisconnectCheckInterval: s(float64(disconnect)), ReconnectCheckInterval: s(float64(reconnect)),
				DisconnectMargin: 5 * time.Minute,
			},
			Receive: wsclient.ReceiveOptions{MaxMessages: 1000},
		}
	}
	compareOptions(t, gateway, wsclient.PresetGateway())
	compareOptions(t, preset(15, 10, 0.5, 30, 20, 5, 2), wsclient.PresetTrading())
	compareOptions(t, preset(30, 15, 5, 120, 50, 30, 10), wsclient.PresetMonitoring())
	for _, o := range []wsclient.Options{wsclient.PresetGateway(), wsclient.PresetTrading(), wsclient.PresetMonitoring()} {
		m, err := wsclient.New(url, &o)
		if err != nil {
			t.Fatal(err)
		}
		m.Close()
	}
}

func compareOptions(t *testing.T, want, got wsclient.Options) {
	t.Helper()
	// No function is set: they cannot be compared.
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("options (-want +got):\n%s", d)
	}
}
