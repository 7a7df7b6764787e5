package alarm_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/alarm"
)

type owner struct {
	rings atomic.Int64
	_     [1 << 10]byte // beyond what shares its memory with others
}

func (o *owner) ring() { o.rings.Add(1) }

func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := new(owner)
		a := alarm.After(time.Second, o, (*owner).ring)
		check := func(what string, wait time.Duration, want int64) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			if got := o.rings.Load(); got != want {
				t.Errorf("%s: rang %d times, want %d", what, got, want)
			}
		}
		check("before its time", 500*time.Millisecond, 0)
		a.Reset(time.Second)
		check("after a reset", 600*time.Millisecond, 0)
		check("in time", 600*time.Millisecond, 1)
		a.Reset(time.Second)
		check("again", 2*time.Second, 2)
		a.Reset(time.Second)
		a.Stop()
		a.Stop()
		check("after the end", 2*time.Second, 2)
	})
}

// TestStopLetsGo: nothing leads to the owner of an alarm that was stopped, although its time has not come. Another timer
// that is due earlier keeps the runtime from looking at it.
func TestStopLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		earlier := time.AfterFunc(time.Minute, func() {})
		defer earlier.Stop()
		held := new(owner)
		kept := weak.Make(held)
		running := alarm.After(time.Hour, held, (*owner).ring)
		gone := func() weak.Pointer[owner] {
			o := new(owner)
			alarm.After(time.Hour, o, (*owner).ring).Stop()
			return weak.Make(o)
		}()
		runtime.GC()
		if gone.Value() != nil {
			t.Error("an alarm that was stopped holds its owner")
		}
		runtime.KeepAlive(held)
		held = nil
		runtime.GC()
		if kept.Value() == nil {
			t.Error("an alarm that runs has lost its owner")
		}
		running.Stop()
		synctest.Wait()
	})
}
