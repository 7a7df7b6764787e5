//go:build !js

package wsclient

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Limits are the settings of a manager that usually come from a configuration file. [Limits.Apply] puts them into
// [Options].
type Limits struct {
	PingInterval            time.Duration // between pings
	PingTimeout             time.Duration // wait for the pong
	ConnectionTimeout       time.Duration // of one attempt to connect
	ReconnectDelay          time.Duration // after the first failed attempt; 0 means none
	MaxReconnectDelay       time.Duration // after any failed attempt
	MaxReconnectAttempts    int           // in an outage; 0 means none
	DisconnectCheckInterval time.Duration // between questions to ControlOptions.ShouldDisconnect
	ReconnectCheckInterval  time.Duration // between questions to ControlOptions.ShouldReconnect
	DisconnectMargin        time.Duration // before the peer's own limit of age
	QueueSize               int           // messages that wait for the consumer; 0 means any number
}

// Adjusted tells of one limit that was outside its range.
type Adjusted struct {
	Key      string  // such as "ping.interval"
	From, To float64 // in seconds, or a number
}

// String returns the change in words.
func (a Adjusted) String() string {
	return a.Key + " " + strconv.FormatFloat(a.From, 'g', -1, 64) + " is now " + strconv.FormatFloat(a.To, 'g', -1, 64)
}

// DefaultLimits returns the limits that apply when nothing else is said.
func DefaultLimits() Limits {
	var l Limits
	for _, limit := range limits {
		limit.set(&l, limit.standard)
	}
	return l
}

// Clamp returns the limits with those that are outside their range moved to its end, and tells which these are. The
// ranges, both ends included, are:
//
//	PingInterval             5 s to 60 s
//	PingTimeout              5 s to 30 s
//	ConnectionTimeout        5 s to 2 min
//	ReconnectDelay           0 to 5 min
//	MaxReconnectDelay        1 s to 10 min
//	MaxReconnectAttempts     0 to 100
//	DisconnectCheckInterval  1 s to 1 min
//	ReconnectCheckInterval   0.5 s to 1 min
//	DisconnectMargin         1 min to 1 h
//	QueueSize                0 to 10,000
//
// They protect against slips in configuration files. [Options] given in a program are not clamped.
func (l Limits) Clamp() (Limits, []Adjusted) {
	var adjusted []Adjusted
	for _, limit := range limits {
		from := limit.get(&l)
		if to := limit.clamp(from); to != from {
			limit.set(&l, to)
			adjusted = append(adjusted, Adjusted{Key: limit.key, From: from, To: to})
		}
	}
	return l, adjusted
}

// LimitsFromMap reads limits from a configuration file as a decoder of JSON, YAML or TOML returns it, clamps them (see
// [Limits.Clamp]), and tells which ones that changed. Durations are in seconds. The keys, in nested maps or joined by
// dots, are:
//
//	websocket.ping.interval                       websocket.ping.timeout
//	websocket.connection.timeout                  websocket.reconnect.delay
//	websocket.reconnect.max_delay                 websocket.reconnect.max_attempts
//	websocket.proactive.disconnect_check_interval websocket.proactive.reconnect_check_interval
//	websocket.proactive.disconnect_margin         websocket.queue.size
//
// What is missing, or neither a number nor a text that is one, is the default.
func LimitsFromMap(config map[string]any) (Limits, []Adjusted) {
	l := DefaultLimits()
	var adjusted []Adjusted
	for _, limit := range limits {
		value, found := lookUp(config, "websocket."+limit.key)
		if !found {
			continue
		}
		from, ok := limit.read(value)
		if !ok {
			continue
		}
		to := limit.clamp(from)
		limit.set(&l, to)
		if to != from {
			adjusted = append(adjusted, Adjusted{Key: limit.key, From: from, To: to})
		}
	}
	return l, adjusted
}

// Apply puts the limits into those fields of o that are zero: what a program sets comes before a configuration, and
// that before the defaults.
func (l Limits) Apply(o *Options) {
	fill := func(field *time.Duration, value time.Duration) {
		if *field == 0 {
			*field = value
		}
	}
	fill(&o.Heartbeat.PingInterval, l.PingInterval)
	fill(&o.Heartbeat.PingTimeout, l.PingTimeout)
	fill(&o.Dial.HandshakeTimeout, l.ConnectionTimeout)
	if l.ReconnectDelay == 0 {
		l.ReconnectDelay = -1 // which says so in a retry.Backoff
	}
	fill(&o.Reconnect.Backoff.Base, l.ReconnectDelay)
	fill(&o.Reconnect.Backoff.Cap, l.MaxReconnectDelay)
	fill(&o.Control.DisconnectCheckInterval, l.DisconnectCheckInterval)
	fill(&o.Control.ReconnectCheckInterval, l.ReconnectCheckInterval)
	fill(&o.Control.DisconnectMargin, l.DisconnectMargin)
	if o.Reconnect.MaxAttempts == 0 {
		o.Reconnect.MaxAttempts = l.MaxReconnectAttempts
		if l.MaxReconnectAttempts == 0 {
			o.Reconnect.MaxAttempts = NoRetry
		}
	}
	if o.Receive.MaxMessages == 0 {
		o.Receive.MaxMessages = l.QueueSize
		if l.QueueSize == 0 {
			o.Receive.MaxMessages = Unlimited
		}
	}
}

// limit describes one field of Limits: its key in a configuration, its default and its range, in seconds or as a
// number.
type limit struct {
	key                       string
	standard, lowest, highest float64
	field                     func(*Limits) any // *time.Duration or *int
}

var limits = []limit{
	{"ping.interval", 20, 5, 60, func(l *Limits) any { return &l.PingInterval }},
	{"ping.timeout", 10, 5, 30, func(l *Limits) any { return &l.PingTimeout }},
	{"connection.timeout", 30, 5, 120, func(l *Limits) any { return &l.ConnectionTimeout }},
	{"reconnect.delay", 1, 0, 300, func(l *Limits) any { return &l.ReconnectDelay }},
	{"reconnect.max_delay", 60, 1, 600, func(l *Limits) any { return &l.MaxReconnectDelay }},
	{"reconnect.max_attempts", 10, 0, 100, func(l *Limits) any { return &l.MaxReconnectAttempts }},
	{"proactive.disconnect_check_interval", 10, 1, 60, func(l *Limits) any { return &l.DisconnectCheckInterval }},
	{"proactive.reconnect_check_interval", 5, 0.5, 60, func(l *Limits) any { return &l.ReconnectCheckInterval }},
	{"proactive.disconnect_margin", 300, 60, 3600, func(l *Limits) any { return &l.DisconnectMargin }},
	{"queue.size", 1000, 0, 10000, func(l *Limits) any { return &l.QueueSize }},
}

func (m *limit) get(l *Limits) float64 {
	switch field := m.field(l).(type) {
	case *time.Duration:
		return field.Seconds()
	case *int:
		return float64(*field)
	}
	return 0
}

func (m *limit) set(l *Limits, value float64) {
	switch field := m.field(l).(type) {
	case *time.Duration:
		*field = time.Duration(value * float64(time.Second))
	case *int:
		*field = int(value)
	}
}

func (m *limit) clamp(value float64) float64 { return min(max(value, m.lowest), m.highest) }

// read returns what a configuration says. Of a number with a fraction that stands for a quantity the fraction is
// dropped; a text with one is no number.
func (m *limit) read(value any) (float64, bool) {
	_, quantity := m.field(&Limits{}).(*int)
	if s, ok := value.(string); ok && quantity {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		return float64(n), err == nil
	}
	f, ok := number(value)
	if quantity {
		f = math.Trunc(f)
	}
	return f, ok
}

// number returns the number that a value of a configuration is or tells.
func number(value any) (float64, bool) {
	switch v := value.(type) {
	case time.Duration:
		return v.Seconds(), true
	case json.Number:
		return number(string(v))
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return f, err == nil && !math.IsNaN(f)
	}
	switch v := reflect.ValueOf(value); {
	case !v.IsValid():
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), !math.IsNaN(v.Float())
	}
	return 0, false
}

// lookUp finds a key whose parts are joined by dots in nested maps, whose keys may be joined in the same way.
func lookUp(m map[string]any, key string) (any, bool) {
	if value, ok := m[key]; ok {
		return value, true
	}
	for i, r := range key {
		if r != '.' {
			continue
		}
		if inner, ok := m[key[:i]].(map[string]any); ok {
			if value, ok := lookUp(inner, key[i+1:]); ok {
				return value, true
			}
		}
	}
	return nil, false
}
