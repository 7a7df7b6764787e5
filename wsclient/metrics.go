//go:build !js

package wsclient

// Metrics gets the numbers of a manager as they arise, for a monitoring system. Its methods are called from many
// goroutines, for every message, and must not block.
type Metrics interface {
	// Add adds to a counter.
	Add(name string, n uint64)
	// Set sets a gauge.
	Set(name string, value float64)
	// Observe adds an observation to a histogram.
	Observe(name string, value float64)
}

// The names of the metrics. There are no labels: what a manager is called is up to whoever makes its Metrics.
const (
	MetricState            = "state"             // gauge: the State
	MetricConnects         = "connects"          // counter
	MetricDisconnects      = "disconnects"       // counter
	MetricAttempts         = "attempts"          // counter: dials
	MetricFailedAttempts   = "failed_attempts"   // counter
	MetricMessagesReceived = "messages_received" // counter
	MetricMessagesSent     = "messages_sent"     // counter
	MetricBytesReceived    = "bytes_received"    // counter
	MetricBytesSent        = "bytes_sent"        // counter
	MetricDropped          = "dropped"           // counter: messages that arrived and had no room
	MetricRTT              = "rtt_seconds"       // histogram: from ping to pong
	MetricUptime           = "uptime_seconds"    // histogram: of connections, when they end
)

// NopMetrics discards.
type NopMetrics struct{}

// Add does nothing.
func (NopMetrics) Add(string, uint64) {}

// Set does nothing.
func (NopMetrics) Set(string, float64) {}

// Observe does nothing.
func (NopMetrics) Observe(string, float64) {}
