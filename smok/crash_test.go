package smok_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A gateway archives values, raises and closes events, and executes orders, and is killed with SIGKILL at random moments,
// again and again, while the hub loses answers and breaks connections. After the last life, which brings out what there
// is:
//
//   - Every value whose Set had returned is at the hub once, by its path and time, with nothing else under them. It may
//     have come more than once: the hub of the test knows values apart by path and time.
//   - Every event whose OpenEvent had returned is one alarm, and closed if CloseEvent had returned. The hub of the test
//     knows events apart by the provisional uuid in their metadata.
//   - Every order has had its effect once. The handler may have been called again, after a crash between the effect and
//     the journal; then it has got the same OrderID, by which the machine of the test has recognised the repetition.
//   - With polling, orders whose answer the crash cut off are lost, since the hub forgets them when it answers. The test
//     allows that for the last answer of a life, and for nothing else.
//
// It is the process that is killed here, so what was written to files is there, synced or not. What a power cut leaves
// is the matter of package diskstore's tests.
func TestGatewayIsKilled(t *testing.T) {
	t.Parallel()
	kills := 4
	if *full {
		kills = 200
	}
	for _, link := range []string{"NGTT", "polling"} {
		t.Run(link, func(t *testing.T) {
			t.Parallel()
			b := newBooks(t, link == "NGTT")
			for range kills {
				b.runLife(t)
			}
			b.lastLife(t)
			b.compare(t)
		})
	}
}

// compare compares the books with the hub and with the machine.
func (b *books) compare(t *testing.T) {
	t.Helper()
	for _, line := range b.wrong {
		t.Errorf("the gateway said %q", line)
	}
	c := b.pump.Counts()
	accepted, extra := b.compareValues(t)
	if c.Conflicting > 0 {
		t.Errorf("%d values came again with another value", c.Conflicting)
	}
	events := b.compareEvents(t)
	again, lost := b.compareOrders(t)
	t.Logf("%d kills. %d values accepted, all at the hub (and %d not told of), %d of them repeated; %d events, posted %d times; "+
		"%d orders, %d called again and recognised, %d lost with a poll's answer, %d deliveries repeated",
		b.lives, accepted, extra, c.Repeated, events, c.AlarmPosts, b.written, again, lost, c.Orders.Repeated)
}

// compareValues looks for the values that were accepted. Of each writer one more can be there for each life.
func (b *books) compareValues(t *testing.T) (accepted, extra int) {
	t.Helper()
	seen := make(map[string]map[int64]bool)
	for _, s := range b.pump.Samples("") {
		n := s.Time.Sub(b.life.Began).Milliseconds()
		if s.Value != float64(n) {
			t.Fatalf("%s has the value %v at the time of %d", s.Path, s.Value, n)
		}
		if seen[s.Path] == nil {
			seen[s.Path] = make(map[int64]bool)
		}
		if seen[s.Path][n] {
			t.Fatalf("%s has the value %d twice", s.Path, n)
		}
		seen[s.Path][n] = true
		if !b.values[s.Path][n] {
			extra++
		}
	}
	for path, values := range b.values {
		accepted += len(values)
		for n := range values {
			if !seen[path][n] {
				t.Errorf("the value %d of %s was accepted and is not at the hub", n, path)
			}
		}
	}
	if extra > 4*b.lives {
		t.Errorf("%d values are at the hub that were not accepted", extra)
	}
	return accepted, extra
}

func (b *books) compareEvents(t *testing.T) int {
	t.Helper()
	alarms := make(map[string]int)
	for _, a := range b.pump.Alarms() {
		alarms[a.Message]++
		if b.events[a.Message] && a.Ended.IsZero() {
			t.Errorf("the event %s was closed, and its alarm is open", a.Message)
		}
	}
	for message := range b.events {
		if alarms[message] != 1 {
			t.Errorf("there are %d alarms for the event %s", alarms[message], message)
		}
	}
	if len(alarms) > len(b.events)+b.lives {
		t.Errorf("there are %d alarms for %d events", len(alarms), len(b.events))
	}
	return len(alarms)
}

// compareOrders looks for the effects of orders.
func (b *books) compareOrders(t *testing.T) (again, lost int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.life.Dir, effectsFile))
	if err != nil {
		t.Fatal(err)
	}
	effects := make(map[int64]int)
	for line := range strings.Lines(string(text)) {
		var word, id string
		var value int64
		if _, err := fmt.Sscan(line, &word, &id, &value); err != nil {
			t.Fatalf("the machine wrote %q", line)
		}
		if word == "again" {
			again++
			continue
		}
		effects[value]++
	}
	for i, values := range b.sent {
		for _, v := range values {
			switch {
			case effects[v] > 1:
				t.Errorf("order %d had its effect %d times", v, effects[v])
			case effects[v] == 0 && b.cutOff(i):
				lost++
			case effects[v] == 0:
				t.Errorf("order %d had no effect", v)
			}
		}
	}
	return again, lost
}

// cutOff reports whether the answer to a poll that brought a frame can be one that the end of a life has cut off: there is
// no later one in that life, or none before, if the request was served late.
func (b *books) cutOff(frame int) bool {
	for i, p := range b.polls {
		if frame < p.taken {
			return i == len(b.polls)-1 || b.polls[i+1].life > p.life || i == 0 || b.polls[i-1].life < p.life
		}
	}
	return false
}
