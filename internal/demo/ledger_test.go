package main

import (
	"strings"
	"testing"
	"time"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	at := func(ms int64) time.Time { return time.UnixMilli(ms) }
	one, two, three := hubSample{"B", at(1), true}, hubSample{"d", at(2), 0.5}, hubSample{"d", at(3), nil}
	for _, tc := range []struct {
		name string
		got  []hubSample
		want string
	}{
		{"all", []hubSample{two, one, three}, ""},
		{"one is missing", []hubSample{two, one}, "lacks 1 of 3"},
		{"one came twice", []hubSample{two, one, two, three}, "twice"},
		{"another value", []hubSample{two, {"B", at(1), false}, three}, "not true"},
		{"another time", []hubSample{two, {"B", at(4), true}, three}, "not measured"},
		{"another pathpoint", []hubSample{two, {"W", at(1), true}, three}, "not measured"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger()
			l.accepted("B", at(1), true)
			l.accepted("d", at(2).In(time.FixedZone("east", 3600)), 0.5)
			l.accepted("d", at(3), nil)
			err := l.compare(tc.got)
			if tc.want == "" {
				if err != nil || l.count() != 3 {
					t.Errorf("%d values, %v", l.count(), err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v lacks %q", err, tc.want)
			}
		})
	}
}
