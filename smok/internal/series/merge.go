// Package series merges what several pathpoints measured into rows, for sensors and computed pathpoints.
package series

import (
	"iter"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// Row is what several pathpoints held at one moment.
type Row struct {
	Time    time.Time
	Samples []value.Sample // one of each series, each at or before Time; good until the next row
}

// Err returns the error of the first sample that is none, and nil if all are good. The paths are those of the series.
func (r Row) Err(paths []string) error {
	for i, s := range r.Samples {
		if !s.OK() {
			return s.Err(paths[i])
		}
	}
	return nil
}

// Merge yields a row for each moment at which one of the series has a sample, from the latest of their first samples on.
// Every series contributes its last sample at or before the row. The samples of a series are sorted by time; of several
// of one moment the last one counts. If a series is empty, or if there is none, there are no rows.
//
// If a series yields an error, Merge yields it and ends. It reads the series as the rows are asked for.
func Merge(all ...iter.Seq2[value.Sample, error]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if len(all) == 0 {
			return
		}
		heads := make([]head, len(all))
		for i, samples := range all {
			next, stop := iter.Pull2(samples)
			defer stop()
			heads[i].next = next
		}
		var now time.Time
		for i := range heads {
			h := &heads[i]
			if err := h.advance(); err != nil {
				yield(Row{}, err)
				return
			}
			if !h.more {
				return
			}
			if i == 0 || h.ahead.Time.After(now) {
				now = h.ahead.Time
			}
		}
		row := Row{Samples: make([]value.Sample, len(heads))}
		for more := true; more; now, more = earliest(heads) {
			row.Time = now
			for i := range heads {
				h := &heads[i]
				for h.more && !h.ahead.Time.After(now) {
					row.Samples[i] = h.ahead
					if err := h.advance(); err != nil {
						yield(Row{}, err)
						return
					}
				}
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// head is the front of a series.
type head struct {
	next  func() (value.Sample, error, bool)
	ahead value.Sample // the next one
	more  bool         // whether there is one
}

func (h *head) advance() error {
	var err error
	h.ahead, err, h.more = h.next()
	return err
}

// earliest returns the time of the next row, if there is one.
func earliest(heads []head) (next time.Time, more bool) {
	for _, h := range heads {
		if h.more && (!more || h.ahead.Time.Before(next)) {
			next, more = h.ahead.Time, true
		}
	}
	return next, more
}
