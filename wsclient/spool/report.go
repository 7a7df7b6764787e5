package spool

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// ReportKind says what a [Report] is about.
type ReportKind int

const (
	// Damaged: accepted records can no longer be read. The medium changed or lost them.
	Damaged ReportKind = iota + 1
	// Torn: the end of the log was being written when the power went. No sync had confirmed these bytes: under
	// SyncAlways no Append had accepted them.
	Torn
	// CursorLost: the file that says what was removed is damaged or missing; records that were removed come again.
	CursorLost
	// Quarantined: a record was set aside by [Spool.Quarantine].
	Quarantined
	// Dropped: accepted records made room for newer ones.
	Dropped
	// Refused: records were dropped for want of room and not accepted.
	Refused
	// Expired: accepted records became too old.
	Expired
	// Failed: the disk failed outside of a call that could return the error, or in the care for another report.
	Failed
)

// String returns the kind's name in lower case.
func (k ReportKind) String() string {
	return name(k, "unknown", "damaged", "torn", "cursor-lost", "quarantined", "dropped", "refused", "expired", "failed")
}

// Report tells of a loss, or of what else its owner should know.
type Report struct {
	Kind ReportKind

	// First and Last are the numbers of the first and the last record concerned. First is 0 if no record is; Last is 0
	// if it is unknown, as for the torn end of the log. The numbers of Dropped and Expired may include records that
	// are lost for another reason; Records does not count those.
	First, Last uint64

	Records uint64 // number of records lost; 0 if unknown
	File    string // name of the file in the directory; empty if no file is concerned
	Offset  int64  // where in the file
	Bytes   int64  // damaged or torn bytes
	Reason  string // of a quarantine
	Err     error  // of a failure
}

// String returns the report on one line.
func (r Report) String() string {
	s := r.Kind.String()
	switch {
	case r.First == 0:
	case r.Last == 0:
		s += fmt.Sprintf(" records from %d", r.First)
	default:
		s += fmt.Sprintf(" records %d to %d (%d)", r.First, r.Last, r.Records)
	}
	if r.File != "" {
		s += fmt.Sprintf(" in %s at %d, %d bytes", r.File, r.Offset, r.Bytes)
	}
	if r.Reason != "" {
		s += ": " + r.Reason
	}
	if r.Err != nil {
		s += ": " + r.Err.Error()
	}
	return s
}

// lossInterval is the shortest time between two reports on a full spool.
const lossInterval = time.Second

// tally gathers losses that come one by one until they are worth a report.
type tally struct {
	Report
	told time.Time // when the last one was reported
}

// lose counts n more records lost, from first to last. mu is held.
func (s *Spool) lose(kind ReportKind, first, last, n uint64) {
	t := &s.tallies[kind]
	if t.Records == 0 {
		t.Report = Report{Kind: kind, First: first}
	}
	t.Last, t.Records = last, t.Records+n
	if now := time.Now(); now.Sub(t.told) >= lossInterval {
		s.tell(kind, now)
	}
}

// tell turns a tally into a report. mu is held.
func (s *Spool) tell(kind ReportKind, now time.Time) {
	t := &s.tallies[kind]
	if t.Records > 0 {
		s.reports = append(s.reports, t.Report)
		*t = tally{told: now}
	}
}

// tellAll makes reports of tallies that have waited long enough, or of all.
func (s *Spool) tellAll(all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for kind := range s.tallies {
		if all || now.Sub(s.tallies[kind].told) >= lossInterval {
			s.tell(ReportKind(kind), now)
		}
	}
}

// report queues r for delivery.
func (s *Spool) report(r Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, r)
}

// deliver hands the queued reports out. No lock is held. Of several goroutines one delivers, so that the order stays
// and a hook that uses the spool does not wait for itself.
func (s *Spool) deliver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.delivering {
		return
	}
	s.delivering = true
	defer func() { s.delivering = false }()
	for len(s.reports) > 0 {
		r := s.reports[0]
		s.reports = s.reports[1:]
		s.handOut(r)
	}
}

// handOut gives r to the hook and the log without mu.
func (s *Spool) handOut(r Report) {
	s.mu.Unlock()
	defer s.mu.Lock()
	attrs := []slog.Attr{
		slog.String("module", "spool"), slog.String("target", s.dir), slog.String("kind", r.Kind.String()),
		slog.Uint64("first", r.First), slog.Uint64("last", r.Last), slog.Uint64("records", r.Records),
	}
	if r.Err != nil {
		attrs = append(attrs, errkit.Attr(r.Err))
	}
	s.opts.Logger.LogAttrs(context.Background(), slog.LevelWarn, "spool report", attrs...)
	if s.opts.OnReport != nil {
		s.opts.OnReport(r)
	}
}
