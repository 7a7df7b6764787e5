package pikvmtest_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// cycleTolerance is how far the recording itself strays: its requests took up to 40 ms to be obeyed, and its host model
// looked at the lines every 20 ms.
const cycleTolerance = 80 * time.Millisecond

// step is an entry of the recorded power cycle: an event, or a request with the time of its answer.
type step struct {
	T        float64
	Event    *recordedEvent
	Request  string
	Status   int
	Answered float64
	Body     json.RawMessage
}

type recordedEvent struct {
	Type  string `json:"event_type"`
	Event any
}

// TestRecordedPowerCycle sends the requests of a recorded power cycle at their times and compares events and answers
// with the recording: what, in which order, and when. Requests about GPIO are left out. The recorded host had no disk
// LED, and lost its power when a long press ended, not after four seconds of it.
func TestRecordedPowerCycle(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/atx_cycle.json")
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	if err := json.Unmarshal(raw, &steps); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Host: pikvmtest.HostOptions{
			HoldToCut: 5400 * time.Millisecond,
			HDDLED:    pikvmtest.LEDStuckOff,
		}})
		l := k.listen(quiet)
		begin := time.Now()
		answered := make(chan struct{}, len(steps))
		var requests []step
		for _, s := range steps {
			if s.Request != "" && strings.Contains(s.Request, "/api/atx/") {
				requests = append(requests, s)
			}
		}
		slices.SortStableFunc(requests, func(a, b step) int { return int(seconds(a.T) - seconds(b.T)) })
		for _, s := range requests {
			go func() {
				defer func() { answered <- struct{}{} }()
				time.Sleep(seconds(s.T) - time.Since(begin))
				method, path, _ := strings.Cut(s.Request, " ")
				a, err := k.try(method, path)
				if err != nil {
					t.Error(err)
					return
				}
				if d := cmp.Diff(decode(t, s.Body), decode(t, []byte(a.Body))); d != "" || a.Status != s.Status {
					t.Errorf("%s: %d (-want +got):\n%s", s.Request, a.Status, d)
				}
				if off := time.Since(begin) - seconds(s.Answered); off.Abs() > cycleTolerance {
					t.Errorf("%s: answered %v off", s.Request, off)
				}
			}()
		}
		for range requests {
			<-answered
		}
		synctest.Wait()

		var want, got []message
		for _, s := range steps {
			if s.Event != nil && s.Event.Type == "atx" {
				want = append(want, message{At: seconds(s.T), Type: "atx", Event: s.Event.Event})
			}
		}
		for _, m := range l.take() {
			if m.Type == "atx" {
				got = append(got, m)
			}
		}
		near := cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() <= cycleTolerance })
		if d := cmp.Diff(want, got, near); d != "" {
			t.Errorf("events (-want +got):\n%s", d)
		}
	})
}

func decode(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Errorf("%q: %v", raw, err)
	}
	return v
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
