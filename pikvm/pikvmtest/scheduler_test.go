package pikvmtest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestScheduler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		s.start()
		begin := time.Now()
		type ran struct {
			Name string
			At   time.Duration
		}
		var got []ran
		note := func(name string) func() {
			return func() { got = append(got, ran{name, time.Since(begin)}) }
		}
		s.after(3*time.Second, note("third"))
		s.after(time.Second, note("first of two"))
		s.after(time.Second, note("second of two"))
		never := s.after(2*time.Second, note("cancelled"))
		s.after(4*time.Second, func() {
			note("outer")()
			s.after(0, note("inner"))
		})
		s.after(time.Hour, note("beyond the end"))
		time.Sleep(1500 * time.Millisecond)
		s.cancel(never)
		s.cancel(never)
		s.cancel(nil)
		if !s.cancelled(never) {
			t.Error("a cancelled job does not know it")
		}
		time.Sleep(10 * time.Second)
		s.stop()
		want := []ran{
			{"first of two", time.Second},
			{"second of two", time.Second},
			{"third", 3 * time.Second},
			{"outer", 4 * time.Second},
			{"inner", 4 * time.Second},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("jobs (-want +got):\n%s", d)
		}
	})
}
