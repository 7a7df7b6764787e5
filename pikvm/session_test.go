package pikvm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

func TestSessionState(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		state, err := s.Wait(within(t, time.Minute), func(s *pikvm.State) bool {
			_, atx := s.ATX()
			info, ok := s.Info()
			return atx && ok && info.System != nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if atx, _ := state.ATX(); !atx.Enabled || atx.LEDs.Power {
			t.Errorf("ATX is %+v", atx)
		}
		if v := s.Version(); v != (pikvm.Version{Major: 4, Minor: 197}) {
			t.Errorf("version is %v", v)
		}
		if !state.Live() || !s.Connected() {
			t.Error("not connected")
		}
		f.SetHostPower(true)
		if _, err := s.Wait(within(t, time.Minute), ledIs(true)); err != nil {
			t.Fatal(err)
		}
		if atx, _ := state.ATX(); atx.LEDs.Power {
			t.Error("a snapshot changed")
		}
	})
}

func ledIs(on bool) func(*pikvm.State) bool {
	return func(s *pikvm.State) bool {
		atx, ok := s.ATX()
		return ok && atx.LEDs.Power == on
	}
}

// TestSessionVersions: the same state comes from all the names that events had.
func TestSessionVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]pikvm.Version{
		"4.197": {Major: 4, Minor: 197},
		"4.35":  {Major: 4, Minor: 35},
		"4.20":  {Major: 4, Minor: 20}, // told in info
		"3.333": {Major: 3, Minor: 333},
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &pikvmtest.Options{Version: version}, nil, func(t *testing.T, f *fake) {
				s := f.open(t, nil)
				knowsATX(t, s)
				_, err := s.Wait(within(t, time.Minute), func(state *pikvm.State) bool { return state.Version() == want })
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Ping(within(t, time.Minute)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestSessionStream: only a session that asks for it counts as a viewer.
func TestSessionStream(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		f.open(t, nil)
		viewer := f.open(t, &pikvm.EventOptions{Stream: true})
		if _, err := viewer.Wait(within(t, time.Minute), func(s *pikvm.State) bool { n, ok := s.Clients(); return ok && n == 1 }); err != nil {
			t.Error(err)
		}
		var got []string
		for _, r := range f.Requests() {
			got = append(got, r.Path+"?"+r.Query.Encode())
		}
		if d := cmp.Diff([]string{"/api/ws?stream=0", "/api/ws?stream=1"}, got); d != "" {
			t.Errorf("requests (-want +got):\n%s", d)
		}
	})
}

// TestSessionStaysUpUnread: the device drops a client that does not answer its pings; nobody reads the events here.
func TestSessionStaysUpUnread(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, &pikvm.EventOptions{Buffer: 32})
		sub := s.Subscribe()
		defer sub.Close()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := s.Stats(); got.Connections != 1 || got.Malformed != 0 || got.Frames == 0 || got.Dropped == 0 {
			t.Errorf("stats are %+v", got)
		}
		if ev := next(t, sub); ev.Type != pikvm.EventDropped || ev.Dropped != s.Stats().Dropped {
			t.Errorf("first event is %+v, stats are %+v", ev, s.Stats())
		}
	})
}

// TestSessionEvents: the state comes first, so whoever hears of an event finds it there, in order.
func TestSessionEvents(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		n := 0
		ctx := within(t, time.Minute)
		emit := func() {
			n++
			if err := f.Emit("ocr", map[string]int{"n": n}); err != nil {
				t.Error(err)
			}
		}
		go func() {
			synctest.Wait() // the loop has begun
			emit()
		}()
		want := 1
		for ev, err := range s.Events(ctx, pikvm.EventOCR) {
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(fmt.Sprintf(`{"n": %d}`, want), string(ev.Data)); d != "" {
				t.Errorf("event (-want +got):\n%s", d)
			}
			var state struct{ N int }
			if err := s.State().Decode(pikvm.EventOCR, &state); err != nil || state.N < want {
				t.Errorf("state is %+v, %v", state, err)
			}
			if want++; want > 5 {
				break
			}
			emit()
		}
		if !s.Connected() {
			t.Error("leaving the loop ended the session")
		}
	})
}

// TestSessionSlowReader: what a slow reader loses is told exactly, at its place; the state has it all.
func TestSessionSlowReader(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, &pikvm.EventOptions{Buffer: 4})
		knowsATX(t, s)
		slow, fast := s.Subscribe(pikvm.EventOCR), s.Subscribe(pikvm.EventOCR)
		emit := func(from, to int) {
			for i := from; i <= to; i++ {
				if err := f.Emit("ocr", map[string]int{"n": i}); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if got := string(next(t, fast).Data); got != fmt.Sprintf(`{"n": %d}`, i) {
					t.Fatalf("the fast reader got %s instead of %d", got, i)
				}
			}
		}
		read := func(n int) (got []string) {
			for range n {
				ev := next(t, slow)
				if ev.Type == pikvm.EventDropped {
					got = append(got, fmt.Sprint("dropped ", ev.Dropped))
					continue
				}
				got = append(got, string(ev.Data))
			}
			return got
		}
		emit(1, 10)
		if d := cmp.Diff([]string{"dropped 6", `{"n": 7}`, `{"n": 8}`}, read(3)); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		emit(11, 13) // 9 is pushed out
		if d := cmp.Diff([]string{"dropped 1", `{"n": 10}`, `{"n": 11}`, `{"n": 12}`, `{"n": 13}`}, read(5)); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		if got := s.Stats().Dropped; got != 7 {
			t.Errorf("%d dropped in all, want 7", got)
		}
		var state struct{ N int }
		if err := s.State().Decode(pikvm.EventOCR, &state); err != nil || state.N != 13 {
			t.Errorf("state is %+v, %v", state, err)
		}
	})
}

// TestSessionSlowReaderOfLargeEvents: a few large events fill a buffer as well as many small ones.
func TestSessionSlowReaderOfLargeEvents(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		knowsATX(t, s)
		sub := s.Subscribe("large")
		event := []byte(`{"event_type":"large","event":"` + strings.Repeat("x", 800<<10) + `"}`)
		for range 7 {
			f.EmitRaw(false, event)
			synctest.Wait()
		}
		if ev := next(t, sub); ev.Type != pikvm.EventDropped || ev.Dropped != 2 {
			t.Errorf("first event is %s, %d dropped, want 2", ev.Type, ev.Dropped)
		}
	})
}

// TestSessionMalformed: frames that make no sense are told in order and harm nothing else.
func TestSessionMalformed(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		before := knowsATX(t, s)
		sub := s.Subscribe()
		frames := []string{
			"<html>", "", "[]", `{"event_type":7}`, `{"event_type":"@connected","event":{}}`,
			`{"event_type":"atx","event":["leds"]}`, "{\"event_type\":\"a\x00b\"}",
		}
		for _, frame := range frames {
			f.EmitRaw(false, []byte(frame))
		}
		f.EmitRaw(true, nil)
		f.EmitRaw(true, []byte{7, 7})
		if err := f.Emit("future", map[string]bool{"new": true}); err != nil {
			t.Fatal(err)
		}
		for _, frame := range frames {
			ev := next(t, sub)
			if ev.Type != pikvm.EventMalformed || !errors.Is(ev.Err, pikvm.ErrWebSocket) || !errors.Is(ev.Err, errkit.Protocol) {
				t.Errorf("%q gave %s, %v", frame, ev.Type, ev.Err)
			}
		}
		if ev := next(t, sub); ev.Type != "future" || string(ev.Data) != `{"new": true}` {
			t.Errorf("then came %s %s", ev.Type, ev.Data)
		}
		stats := s.Stats()
		if stats.Connections != 1 || stats.Malformed != uint64(len(frames)) {
			t.Errorf("stats are %+v", stats)
		}
		if d := cmp.Diff(string(before.Raw(pikvm.EventATX)), string(s.State().Raw(pikvm.EventATX))); d != "" {
			t.Errorf("state of ATX (-want +got):\n%s", d)
		}
	})
}

func TestSessionPing(t *testing.T) {
	t.Parallel()
	t.Run("while events flow", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			s := f.open(t, nil)
			knowsATX(t, s)
			f.network.Latency(netem.Both, 40*time.Millisecond)
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range 50 {
					_ = f.Emit("ocr", map[string]int{})
					time.Sleep(7 * time.Millisecond)
				}
			}()
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					rtt, err := s.Ping(within(t, time.Minute))
					if err != nil || rtt != 80*time.Millisecond {
						t.Errorf("ping took %v, %v", rtt, err)
					}
				})
			}
			wg.Wait()
			<-done
		})
	})
	t.Run("without answer", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			s := f.open(t, nil)
			knowsATX(t, s)
			f.StallPings(true)
			_, err := s.Ping(within(t, 3*time.Second))
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, pikvm.ErrConnectionTimeout) {
				t.Errorf("error is %v", err)
			}
			f.StallPings(false)
			time.Sleep(5 * time.Second) // then a new ping is due
			if _, err := s.Ping(within(t, time.Second)); err != nil {
				t.Errorf("after the stall: %v", err)
			}
		})
	})
	t.Run("connection breaks meanwhile", func(t *testing.T) {
		t.Parallel()
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			s := f.open(t, nil)
			knowsATX(t, s)
			f.StallPings(true)
			go func() {
				synctest.Wait()
				f.SetDown(time.Minute)
				f.DropSockets(0)
			}()
			if _, err := s.Ping(within(t, time.Minute)); !errors.Is(err, pikvm.ErrWebSocket) || !errors.Is(err, errkit.Disconnected) {
				t.Errorf("error is %v", err)
			}
			synctest.Wait()
			_, err := s.Ping(t.Context())
			if !errors.Is(err, pikvm.ErrNotConnected) || !errors.Is(err, errkit.NotSent) || !errors.Is(err, errkit.Disconnected) {
				t.Errorf("without a connection: error is %v", err)
			}
		})
	})
}

func TestEventsRefusesOptions(t *testing.T) {
	t.Parallel()
	client := newClient(t, kvmHTTP, &pikvm.Options{DialContext: noDial(t)})
	_, err := client.Events(t.Context(), &pikvm.EventOptions{Buffer: -1})
	if e, ok := errors.AsType[*pikvm.ConfigurationError](err); !ok || e.Field != "Buffer" {
		t.Errorf("error is %v", err)
	}
	_ = client.Close()
	if _, err := client.Events(t.Context(), nil); !errors.Is(err, pikvm.ErrClosed) || !errors.Is(err, errkit.NotSent) {
		t.Errorf("on a closed client: error is %v", err)
	}
}
