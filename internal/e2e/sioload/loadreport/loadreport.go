// Package loadreport is what sioload says to siobench.
package loadreport

import "time"

// Report is the outcome of one measurement.
type Report struct {
	Ops        int           `json:"ops"`       // within the measured time
	Seconds    float64       `json:"seconds"`   // measured
	ServerCPU  time.Duration `json:"serverCPU"` // of all threads of the server, within the measured time
	OwnCPU     float64       `json:"ownCPU"`    // share of one processor that this program used
	P50        time.Duration `json:"p50,omitempty"`
	P99        time.Duration `json:"p99,omitempty"`
	Memory     int64         `json:"memory,omitempty"`     // resident bytes of the server more than before
	Goroutines int           `json:"goroutines,omitempty"` // of the server more than before
	Pings      int           `json:"pings,omitempty"`      // heartbeats answered
	Lost       int           `json:"lost,omitempty"`       // connections that ended, or deliveries that did not come
	Expected   int           `json:"expected,omitempty"`   // deliveries
}
