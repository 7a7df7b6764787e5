package event_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

func numbered(i int) *event.Event { return event.New(strconv.Itoa(i), packet.Args{}) }

func TestQueueKeepsOrder(t *testing.T) {
	t.Parallel()
	const n = 2000
	var got, want []string
	q := event.NewQueue(event.Limits{Messages: 16}, func(e *event.Event) { got = append(got, e.Name) })
	for i := range n {
		want = append(want, strconv.Itoa(i))
		if i%100 == 0 {
			want = append(want, "f")
			q.Do(func() { got = append(got, "f") })
		}
		if !q.Push(numbered(i), 1, nil) {
			t.Fatal("Push = false on an open queue")
		}
	}
	q.Wait(0)
	if len(got) != len(want) {
		t.Fatalf("%d items, want %d", len(got), len(want))
	}
	next := 0
	for _, g := range got {
		if g == "f" {
			if next%100 != 0 {
				t.Fatalf("the function ran before event %d", next)
			}
			continue
		}
		if g != strconv.Itoa(next) {
			t.Fatalf("event %s, want %d", g, next)
		}
		next++
	}
}

func TestFullQueueStopsWhoPushes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		limits event.Limits
		size   int
	}{
		{"messages", event.Limits{Messages: 3}, 1},
		{"bytes", event.Limits{Bytes: 30}, 10},
		{"both", event.Limits{Messages: 3, Bytes: 1000}, 10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				q := event.NewQueue(tc.limits, func(*event.Event) { <-release })
				pushed := 0
				go func() {
					for range 10 {
						q.Push(numbered(0), tc.size, nil)
						pushed++
					}
				}()
				synctest.Wait()
				if pushed != 3 {
					t.Errorf("%d events were taken, want 3", pushed)
				}
				done := q.Waiting()
				synctest.Wait()
				if pushed != 10 {
					t.Errorf("%d events were taken while a call waits, want 10", pushed)
				}
				done()
				close(release)
				q.Wait(0)
			})
		})
	}
}

func TestQueueTakesAnEventAboveItsLimit(t *testing.T) {
	t.Parallel()
	got := 0
	q := event.NewQueue(event.Limits{Bytes: 10}, func(*event.Event) { got++ })
	q.Push(numbered(0), 1000, nil)
	q.Push(numbered(1), 1000, nil)
	q.Wait(0)
	if left, bytes := q.Held(); got != 2 || left != 0 || bytes != 0 {
		t.Errorf("%d events handled, %d left with %d bytes, want 2, 0, 0", got, left, bytes)
	}
}

func TestPushEnds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		end  func(q *event.Queue, stop chan struct{})
	}{
		{"by stop", func(_ *event.Queue, stop chan struct{}) { close(stop) }},
		{"by Close", func(q *event.Queue, _ chan struct{}) { q.Close() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release, stop := make(chan struct{}), make(chan struct{})
				handled := 0
				q := event.NewQueue(event.Limits{Messages: 1}, func(*event.Event) { <-release; handled++ })
				q.Push(numbered(0), 1, stop)
				result := make(chan bool, 1)
				go func() { result <- q.Push(numbered(1), 1, stop) }()
				synctest.Wait()
				tc.end(q, stop)
				if <-result {
					t.Error("Push = true")
				}
				close(release)
				q.Wait(0)
				if handled != 1 {
					t.Errorf("%d events handled, want 1", handled)
				}
			})
		})
	}
}

func TestQueueBoundsWhatItIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		q := event.NewQueue(event.Limits{}, nil)
		q.Do(func() { <-release })
		told, ran := 0, 0
		for q.Tell(func() { ran++ }) && told < 1_000_000 {
			told++
		}
		if told != 1024 {
			t.Errorf("%d functions were taken, want 1024", told)
		}
		close(release)
		q.Wait(0)
		if ran != told || !q.Tell(func() {}) {
			t.Errorf("%d of %d functions ran", ran, told)
		}
		q.Wait(0)
	})
}

func TestClosedQueueDropsWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		handled := 0
		q := event.NewQueue(event.Limits{}, func(*event.Event) { <-release; handled++ })
		for i := range 5 {
			q.Push(numbered(i), 1, nil)
		}
		synctest.Wait()
		told := false
		q.Do(func() { told = true })
		q.Close()
		q.Close()
		if q.Wait(time.Second) {
			t.Error("Wait = true while a handler runs")
		}
		close(release)
		q.Wait(0)
		if left, bytes := q.Held(); handled != 1 || left != 0 || bytes != 0 {
			t.Errorf("%d events handled, %d left with %d bytes, want 1, 0, 0", handled, left, bytes)
		}
		if !told {
			t.Error("a function that waited did not run")
		}
		if q.Push(numbered(9), 1, nil) || q.Force(numbered(9), 1) || q.Do(func() {}) {
			t.Error("a closed queue took something")
		}
	})
}
