package errkit

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// The limits of a report. What NewReport makes stays within them, so that every report can be read again.
const (
	maxReportBytes   = 64 << 10 // of JSON, in and out
	maxReportDepth   = 8        // levels that NewReport makes
	maxReadDepth     = 16       // levels that are read; what is below is dropped
	maxReportCauses  = 16       // causes of one error
	maxReportString  = 4 << 10  // bytes of one string
	reportNodeWeight = 1 << 10  // bytes to count for an error besides its strings: member names, numbers, kinds
)

// Report is the form of an error that crosses a process boundary. As JSON it has the members v (the version,
// 1), message, class (its code), kinds (their names), op, target, attempts, retry_after_ms, transient, fields
// and causes; empty ones are left out.
//
// Fields holds what the typed error has beyond [Info], as encoding/json reads it: strings, float64, bool, nil,
// slices and maps.
type Report struct {
	Version    int
	Message    string
	Class      string
	Kinds      []string
	Op         string
	Target     string
	Attempts   int
	RetryAfter time.Duration
	Transient  bool
	Fields     map[string]any
	Causes     []*Report
}

// NewReport returns the report of err; nil for nil. Only the outermost typed error and the causes below it
// become layers of the report. It is at most 8 levels deep, with at most 16 causes on each and 4 KiB in each
// string, and its JSON at most 64 KiB long; what is beyond is cut off.
func NewReport(err error) *Report {
	if err == nil {
		return nil
	}
	r := reporter{left: maxReportBytes, typed: CodeOf(err) != ""}
	report := r.report(err, 1, false)
	report.Version = 1
	return report
}

// Err returns the error that r tells of, a *[Remote]; nil for nil.
func (r *Report) Err() error {
	if r == nil {
		return nil
	}
	return &Remote{Report: *r}
}

// reportJSON is a Report as JSON: written with causes that are reports, read with causes that are still text,
// so that the depth can be watched. Numbers may come as 1 or 1.0.
type reportJSON[C any] struct {
	Version      float64        `json:"v,omitempty"`
	Message      string         `json:"message,omitempty"`
	Class        string         `json:"class,omitempty"`
	Kinds        []string       `json:"kinds,omitempty"`
	Op           string         `json:"op,omitempty"`
	Target       string         `json:"target,omitempty"`
	Attempts     float64        `json:"attempts,omitempty"`
	RetryAfterMS float64        `json:"retry_after_ms,omitempty"`
	Transient    bool           `json:"transient,omitempty"`
	Fields       map[string]any `json:"fields,omitempty"`
	Causes       []C            `json:"causes,omitempty"`
}

// MarshalJSON writes the members that [Report] names.
func (r Report) MarshalJSON() ([]byte, error) {
	return json.Marshal(reportJSON[*Report]{
		Version: float64(r.Version), Message: r.Message, Class: r.Class, Kinds: r.Kinds, Op: r.Op, Target: r.Target,
		Attempts: float64(r.Attempts), RetryAfterMS: math.Ceil(float64(r.RetryAfter) / float64(time.Millisecond)),
		Transient: r.Transient, Fields: r.Fields, Causes: r.Causes,
	})
}

// UnmarshalJSON reads a report of any version. Members and kinds that it does not know are ignored, causes below
// level 16 or beyond 16 of one error are dropped. The error is of kind [TooLarge] if data is longer than 64 KiB,
// of kind [Protocol] if it is no report.
func (r *Report) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	if len(data) > maxReportBytes {
		return fmt.Errorf("errkit: report of %d bytes: %w", len(data), TooLarge)
	}
	var read Report
	if err := read.read(data, 1); err != nil {
		return fmt.Errorf("errkit: report: %w: %w", Protocol, err)
	}
	*r = read
	return nil
}

func (r *Report) read(data []byte, level int) error {
	var in reportJSON[json.RawMessage]
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*r = Report{
		Version: count(in.Version), Message: in.Message, Class: in.Class, Kinds: in.Kinds, Op: in.Op, Target: in.Target,
		Attempts: count(in.Attempts), Transient: in.Transient, Fields: in.Fields,
		RetryAfter: time.Duration(min(max(in.RetryAfterMS, 0), float64(maxRetryAfter/time.Millisecond))) * time.Millisecond,
	}
	if level == maxReadDepth {
		return nil
	}
	for _, text := range in.Causes[:min(len(in.Causes), maxReportCauses)] {
		cause := new(Report)
		if err := cause.read(text, level+1); err != nil {
			return err
		}
		r.Causes = append(r.Causes, cause)
	}
	return nil
}

// count returns x as a number of things, bounded so that it fits everywhere.
func count(x float64) int { return int(min(max(x, 0), math.MaxInt32)) }
