// Package silence has the periods of the week in which a predicate raises no events.
package silence

import (
	"cmp"
	"fmt"
	"time"
)

// Moment is a minute of the week.
type Moment struct {
	Day          int // of the week: 1 is Monday, 7 is Sunday
	Hour, Minute int
}

// Of returns the minute of the week at which t is, in the time zone of t.
func Of(t time.Time) Moment {
	day := int(t.Weekday())
	if day == 0 {
		day = 7
	}
	return Moment{day, t.Hour(), t.Minute()}
}

// Compare returns -1, 0 or 1 if m is before, at or after o in a week that begins on Monday.
func (m Moment) Compare(o Moment) int {
	return cmp.Or(cmp.Compare(m.Day, o.Day), cmp.Compare(m.Hour, o.Hour), cmp.Compare(m.Minute, o.Minute))
}

// String returns the moment as day and time, such as "1 06:30".
func (m Moment) String() string { return fmt.Sprintf("%d %02d:%02d", m.Day, m.Hour, m.Minute) }

// Period is a part of every week, from the beginning of the minute Start to the end of the minute Stop. If Stop is before
// Start, it goes over the end of the week.
type Period struct{ Start, Stop Moment }

// Contains reports whether t is in the period, by the clock of the time zone of t.
func (p Period) Contains(t time.Time) bool {
	now := Of(t)
	begun, over := p.Start.Compare(now) <= 0, p.Stop.Compare(now) < 0
	if p.Stop.Compare(p.Start) < 0 {
		return begun || !over
	}
	return begun && !over
}

// Contain reports whether t is in one of the periods.
func Contain(periods []Period, t time.Time) bool {
	for _, p := range periods {
		if p.Contains(t) {
			return true
		}
	}
	return false
}
