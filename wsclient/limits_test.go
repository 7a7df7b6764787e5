//go:build !js

package wsclient_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/wsclient"
)

var defaults = wsclient.Limits{
	PingInterval: 20 * time.Second, PingTimeout: 10 * time.Second, ConnectionTimeout: 30 * time.Second,
	ReconnectDelay: time.Second, MaxReconnectDelay: time.Minute, MaxReconnectAttempts: 10,
	DisconnectCheckInterval: 10 * time.Second, ReconnectCheckInterval: 5 * time.Second,
	DisconnectMargin: 5 * time.Minute, QueueSize: 1000,
}

func TestOB04Limits(t *testing.T) {
	t.Parallel()
	low := wsclient.Limits{
		PingInterval: 5 * time.Second, PingTimeout: 5 * time.Second, ConnectionTimeout: 5 * time.Second,
		MaxReconnectDelay: time.Second, DisconnectCheckInterval: time.Second,
		ReconnectCheckInterval: 500 * time.Millisecond, DisconnectMargin: time.Minute,
	}
	high := wsclient.Limits{
		PingInterval: time.Minute, PingTimeout: 30 * time.Second, ConnectionTimeout: 2 * time.Minute,
		ReconnectDelay: 5 * time.Minute, MaxReconnectDelay: 10 * time.Minute, MaxReconnectAttempts: 100,
		DisconnectCheckInterval: time.Minute, ReconnectCheckInterval: time.Minute,
		DisconnectMargin: time.Hour, QueueSize: 10000,
	}
	below := wsclient.Limits{
		PingInterval: -1, PingTimeout: 1, ConnectionTimeout: -time.Hour, ReconnectDelay: -1, MaxReconnectDelay: 999 * time.Millisecond,
		MaxReconnectAttempts: -1, DisconnectCheckInterval: 0, ReconnectCheckInterval: 499 * time.Millisecond,
		DisconnectMargin: time.Minute - 1, QueueSize: math.MinInt,
	}
	above := wsclient.Limits{
		PingInterval: time.Minute + 1, PingTimeout: time.Hour, ConnectionTimeout: math.MaxInt64, ReconnectDelay: time.Hour,
		MaxReconnectDelay: time.Hour, MaxReconnectAttempts: 101, DisconnectCheckInterval: time.Hour,
		ReconnectCheckInterval: time.Hour, DisconnectMargin: 2 * time.Hour, QueueSize: math.MaxInt,
	}
	if d := cmp.Diff(defaults, wsclient.DefaultLimits()); d != "" {
		t.Errorf("defaults (-want +got):\n%s", d)
	}
	for _, c := range []struct {
		name      string
		from, to  wsclient.Limits
		adjusting int
	}{
		{"defaults", defaults, defaults, 0},
		{"low ends", low, low, 0},
		{"high ends", high, high, 0},
		{"below", below, low, 10},
		{"above", above, high, 10},
	} {
		got, adjusted := c.from.Clamp()
		if d := cmp.Diff(c.to, got); d != "" || len(adjusted) != c.adjusting {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, adjusted, d)
		}
	}
	_, adjusted := wsclient.Limits{
		PingInterval: time.Second, PingTimeout: 5 * time.Second, ConnectionTimeout: 5 * time.Second,
		MaxReconnectDelay: time.Minute, DisconnectCheckInterval: time.Second, ReconnectCheckInterval: time.Second,
		DisconnectMargin: time.Minute, QueueSize: 20000,
	}.Clamp()
	want := []wsclient.Adjusted{{"ping.interval", 1, 5}, {"queue.size", 20000, 10000}}
	if d := cmp.Diff(want, adjusted); d != "" {
		t.Errorf("adjusted (-want +got):\n%s", d)
	}
	if got := adjusted[1].String(); got != "queue.size 20000 is now 10000" {
		t.Errorf("it prints %q", got)
	}
}

func TestOB04LimitsFromMap(t *testing.T) {
	t.Parallel()
	// with returns a configuration with one setting.
	with := func(group, key string, value any) map[string]any {
		return map[string]any{"websocket": map[string]any{group: map[string]any{key: value}}}
	}
	ping := func(d time.Duration) wsclient.Limits {
		l := defaults
		l.PingInterval = d
		return l
	}
	attempts := func(n int) wsclient.Limits {
		l := defaults
		l.MaxReconnectAttempts = n
		return l
	}
	var decoded map[string]any
	if err := json.Unmarshal([]byte(`{"websocket": {"ping": {"interval": 7, "timeout": "8.5"}, "queue": {"size": 0},
		"reconnect": {"delay": 0, "max_delay": 2, "max_attempts": "3"}, "connection": {"timeout": [1]},
		"proactive": {"disconnect_check_interval": 1e3, "reconnect_check_interval": 0.75, "disconnect_margin": {}}}}`),
		&decoded); err != nil {
		t.Fatal(err)
	}
	full := wsclient.Limits{
		PingInterval: 7 * time.Second, PingTimeout: 8500 * time.Millisecond, ConnectionTimeout: 30 * time.Second,
		MaxReconnectDelay: 2 * time.Second, MaxReconnectAttempts: 3, DisconnectCheckInterval: time.Minute,
		ReconnectCheckInterval: 750 * time.Millisecond, DisconnectMargin: 5 * time.Minute,
	}
	for _, c := range []struct {
		name      string
		config    map[string]any
		want      wsclient.Limits
		adjusting int
	}{
		{"nil", nil, defaults, 0},
		{"nothing of it", map[string]any{"ping": map[string]any{"interval": 7}}, defaults, 0},
		{"all", decoded, full, 1},
		{"number", with("ping", "interval", 7), ping(7 * time.Second), 0},
		{"unsigned", with("ping", "interval", uint8(7)), ping(7 * time.Second), 0},
		{"fraction", with("ping", "interval", float32(7.5)), ping(7500 * time.Millisecond), 0},
		{"text", with("ping", "interval", " 7.5 "), ping(7500 * time.Millisecond), 0},
		{"json.Number", with("ping", "interval", json.Number("7.5")), ping(7500 * time.Millisecond), 0},
		{"duration", with("ping", "interval", 7*time.Second), ping(7 * time.Second), 0},
		{"too low", with("ping", "interval", -3), ping(5 * time.Second), 1},
		{"too high", with("ping", "interval", "1e300"), ping(time.Minute), 1},
		{"infinite", with("ping", "interval", math.Inf(1)), ping(time.Minute), 1},
		{"not a number", with("ping", "interval", math.NaN()), defaults, 0},
		{"text of none", with("ping", "interval", "NaN"), defaults, 0},
		{"word", with("ping", "interval", "abc"), defaults, 0},
		{"list", with("ping", "interval", []any{7}), defaults, 0},
		{"map", with("ping", "interval", map[string]any{"a": 7}), defaults, 0},
		{"null", with("ping", "interval", nil), defaults, 0},
		{"truth", with("ping", "interval", true), defaults, 0},
		{"quantity", with("reconnect", "max_attempts", "12"), attempts(12), 0},
		{"quantity with a fraction", with("reconnect", "max_attempts", 12.9), attempts(12), 0},
		{"text with a fraction", with("reconnect", "max_attempts", "12.9"), defaults, 0},
		{"no attempts", with("reconnect", "max_attempts", 0), attempts(0), 0},
		{"dots", map[string]any{"websocket.ping.interval": 7}, ping(7 * time.Second), 0},
		{"dots inside", map[string]any{"websocket": map[string]any{"ping.interval": 7}}, ping(7 * time.Second), 0},
		{"dots outside", map[string]any{"websocket.ping": map[string]any{"interval": 7}}, ping(7 * time.Second), 0},
		{"not a map", map[string]any{"websocket": 5}, defaults, 0},
	} {
		got, adjusted := wsclient.LimitsFromMap(c.config)
		if d := cmp.Diff(c.want, got); d != "" || len(adjusted) != c.adjusting {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, adjusted, d)
		}
	}
}
