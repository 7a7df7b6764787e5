//go:build !js

package wsclient

import (
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

// PresetGateway returns options for a device that must stay connected for years: it tries for ever, after delays of up
// to 5 min, takes a connection for stable after 30 s, keeps messages to be sent in a queue while there is none, and lets
// the system notice a dead link within 30 s.
func PresetGateway() Options {
	var o Options
	o.Reconnect.MaxAttempts = Unlimited
	o.Reconnect.Backoff = retry.Backoff{Base: time.Second, Cap: 5 * time.Minute, StableAfter: 30 * time.Second}
	o.Send.Mode = SendQueued
	o.Dial.UserTimeout = 30 * time.Second
	return o
}

// PresetTrading returns options for feeds where seconds count: pings every 15 s, first delays of up to 0.5 s, delays of
// up to 30 s, 20 attempts.
func PresetTrading() Options {
	l := DefaultLimits()
	l.PingInterval, l.PingTimeout = 15*time.Second, 10*time.Second
	l.ReconnectDelay, l.MaxReconnectDelay, l.MaxReconnectAttempts = 500*time.Millisecond, 30*time.Second, 20
	l.DisconnectCheckInterval, l.ReconnectCheckInterval = 5*time.Second, 2*time.Second
	return l.options()
}

// PresetMonitoring returns options for watching where minutes count: pings every 30 s, first delays of up to 5 s, delays
// of up to 2 min, 50 attempts.
func PresetMonitoring() Options {
	l := DefaultLimits()
	l.PingInterval, l.PingTimeout = 30*time.Second, 15*time.Second
	l.ReconnectDelay, l.MaxReconnectDelay, l.MaxReconnectAttempts = 5*time.Second, 2*time.Minute, 50
	l.DisconnectCheckInterval, l.ReconnectCheckInterval = 30*time.Second, 10*time.Second
	return l.options()
}

func (l Limits) options() Options {
	var o Options
	l.Apply(&o)
	return o
}
