package pikvm

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

// TestMailboxWithSeveralReaders: each item goes to one reader, and the end to all of them.
func TestMailboxWithSeveralReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := newMailbox[int](10)
		var mu sync.Mutex
		got := map[int]int{}
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				for {
					n, lost, err := box.take(t.Context())
					if errors.Is(err, errMailboxEnded) {
						return
					}
					if err != nil || lost != 0 {
						t.Errorf("%d lost, %v", lost, err)
						return
					}
					mu.Lock()
					got[n]++
					mu.Unlock()
				}
			})
		}
		synctest.Wait()
		for n := range 5 {
			box.put(n, 1)
		}
		synctest.Wait()
		box.end()
		if dropped := box.put(7, 1); dropped != 0 {
			t.Errorf("%d dropped after the end", dropped)
		}
		readers.Wait()
		for n := range 5 {
			if got[n] != 1 {
				t.Errorf("%d was taken %d times", n, got[n])
			}
		}
		if len(got) != 5 {
			t.Errorf("taken: %v", got)
		}
	})
}

// TestMailboxKeepsWhatWasPut: the end comes after the items, and one large item is better than none.
func TestMailboxKeepsWhatWasPut(t *testing.T) {
	t.Parallel()
	box := newMailbox[string](2)
	box.put("a", 1)
	box.put("huge", 2*maxMailboxBytes)
	box.end()
	if _, lost, err := box.take(t.Context()); lost != 1 || err != nil {
		t.Errorf("lost %d, %v, want 1", lost, err)
	}
	if item, _, err := box.take(t.Context()); item != "huge" || err != nil {
		t.Errorf("took %q, %v", item, err)
	}
	for range 2 {
		if _, _, err := box.take(t.Context()); !errors.Is(err, errMailboxEnded) {
			t.Errorf("after the end: %v", err)
		}
	}
}

// TestWaitersKeepFewLargeStates: what a waiter has not looked at yet is bounded in bytes, too.
func TestWaitersKeepFewLargeStates(t *testing.T) {
	t.Parallel()
	box := newMailbox[*State](maxWaitBacklog)
	s := &Session{state: new(State), waiters: map[*mailbox[*State]]struct{}{box: {}}}
	for range 10 {
		s.setState(new(State), 1<<20)
	}
	if got := len(box.items); got != maxMailboxBytes>>20 {
		t.Errorf("%d states kept, want %d", got, maxMailboxBytes>>20)
	}
}
