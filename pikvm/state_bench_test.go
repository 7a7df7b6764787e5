package pikvm

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// BenchmarkFold folds the events of a recorded connection of 70 s into the state, and compares that with taking the whole
// state apart anew for each of them. An operation is the whole recording.
func BenchmarkFold(b *testing.B) {
	text, err := os.ReadFile("testdata/ws_session.json")
	if err != nil {
		b.Fatal(err)
	}
	var recorded []struct {
		Text json.RawMessage `json:"text"`
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		b.Fatal(err)
	}
	var frames [][]byte
	wholes := make([]map[EventType]json.RawMessage, 0, len(recorded)) // the state after each frame
	state := new(State)
	fold := func(frame []byte) {
		f, err := decodeEvent(frame)
		if err != nil {
			b.Fatal(err)
		}
		if f.name == eventPong {
			return
		}
		if state, err = state.fold(f); err != nil {
			b.Fatal(err)
		}
	}
	for _, r := range recorded {
		if r.Text == nil {
			continue
		}
		frames = append(frames, r.Text)
		fold(r.Text)
		whole := make(map[EventType]json.RawMessage)
		for t := range state.parts {
			whole[t] = state.Raw(t)
		}
		wholes = append(wholes, whole)
	}

	var folding, anew time.Duration
	for b.Loop() {
		state = new(State)
		begin := time.Now()
		for _, frame := range frames {
			fold(frame)
		}
		folding += time.Since(begin)
		begin = time.Now()
		for _, whole := range wholes {
			for t, part := range whole {
				if _, err := parseObject(part, mergeRules[t].open); err != nil {
					b.Fatal(err)
				}
			}
		}
		anew += time.Since(begin)
	}
	events := float64(b.N * len(frames))
	b.ReportMetric(float64(folding)/events, "ns/event")
	b.ReportMetric(float64(anew)/events, "ns/event-anew")
	b.ReportMetric(float64(anew)/float64(folding), "times-faster")
}
