package silence_test

import (
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/silence"
)

// at returns a time of the week of Monday, 23 November 2026, or the next one.
func at(day, hour, minute, second int) time.Time {
	return time.Date(2026, time.November, 22+day, hour, minute, second, 999, time.UTC)
}

func TestContains(t *testing.T) {
	t.Parallel()
	type moment = silence.Moment
	night := silence.Period{Start: moment{2, 22, 0}, Stop: moment{3, 6, 0}}
	weekend := silence.Period{Start: moment{6, 22, 0}, Stop: moment{1, 6, 0}} // over the end of the week
	minute := silence.Period{Start: moment{4, 12, 30}, Stop: moment{4, 12, 30}}
	always := silence.Period{Start: moment{1, 0, 0}, Stop: moment{7, 23, 59}}
	butOne := silence.Period{Start: moment{4, 12, 31}, Stop: moment{4, 12, 29}} // all but 12:30 on Thursday
	for _, test := range []struct {
		name string
		p    silence.Period
		t    time.Time
		want bool
	}{
		{"before", night, at(2, 21, 59, 59), false},
		{"the first minute", night, at(2, 22, 0, 0), true},
		{"midnight", night, at(3, 0, 0, 0), true},
		{"the last minute", night, at(3, 6, 0, 59), true},
		{"after", night, at(3, 6, 1, 0), false},
		{"the same time of another day", night, at(4, 22, 30, 0), false},
		{"before the weekend", weekend, at(6, 21, 59, 59), false},
		{"the weekend begins", weekend, at(6, 22, 0, 0), true},
		{"Sunday", weekend, at(7, 12, 0, 0), true},
		{"the end of the week", weekend, at(7, 23, 59, 59), true},
		{"the beginning of the week", weekend, at(8, 0, 0, 0), true},
		{"Monday morning", weekend, at(1, 6, 0, 59), true},
		{"Monday after six", weekend, at(1, 6, 1, 0), false},
		{"one minute", minute, at(4, 12, 30, 59), true},
		{"the one before", minute, at(4, 12, 29, 59), false},
		{"the one behind", minute, at(4, 12, 31, 0), false},
		{"always, first", always, at(1, 0, 0, 0), true},
		{"always, last", always, at(7, 23, 59, 59), true},
		{"all but one", butOne, at(4, 12, 30, 0), false},
		{"all but one, the next", butOne, at(4, 12, 31, 0), true},
		{"all but one, the last", butOne, at(4, 12, 29, 0), true},
	} {
		if got := test.p.Contains(test.t); got != test.want {
			t.Errorf("%s: %v in %v: %v", test.name, silence.Of(test.t), test.p, got)
		}
	}
	if silence.Contain(nil, at(1, 0, 0, 0)) || !silence.Contain([]silence.Period{night, minute}, at(4, 12, 30, 0)) {
		t.Error("Contain is not any of them")
	}
}

// TestContainsEveryMinute: a period and the one that begins when it has ended make a week, whichever they are.
func TestContainsEveryMinute(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * 60
	moment := func(m int) silence.Moment {
		return silence.Of(at(1, 0, m%week, 0))
	}
	for start := 0; start < week; start += 613 {
		for stop := 0; stop < week; stop += 577 {
			p := silence.Period{Start: moment(start), Stop: moment(stop)}
			rest := silence.Period{Start: moment(stop + 1), Stop: moment(start + week - 1)}
			if (stop+1)%week == start {
				continue // it is the whole week already
			}
			for m := 0; m < week; m += 59 {
				now := at(1, 0, m, 30)
				if p.Contains(now) == rest.Contains(now) {
					t.Fatalf("%v is in both or none of %v and %v", silence.Of(now), p, rest)
				}
			}
		}
	}
}

// TestTheZoneOfTheTimeCounts.
func TestTheZoneOfTheTimeCounts(t *testing.T) {
	t.Parallel()
	p := silence.Period{Start: silence.Moment{Day: 1}, Stop: silence.Moment{Day: 1, Hour: 0, Minute: 59}}
	sunday := time.Date(2026, time.November, 22, 23, 30, 0, 0, time.UTC)
	if p.Contains(sunday) || !p.Contains(sunday.In(time.FixedZone("CET", 3600))) {
		t.Error("half past eleven on Sunday in Greenwich is Monday in Warsaw")
	}
}
