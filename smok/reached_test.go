package smok_test

import (
	"slices"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// TestTheOrderLinkEndsDelays checks that values do not wait for the end of a delay of minutes once the order link has
// reached a hub that was gone for long.
func TestTheOrderLinkEndsDelays(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{
			NGTT: &ngtt.Options{Addr: w.hub.NGTTAddr(), Backoff: retry.Backoff{Cap: 10 * time.Second}},
			Disable: smok.Areas{ // fewer that could find out
				Archives: true, Macros: true, Predicates: true, Events: true, Sensors: true, SensorWrites: true, Metadata: true,
				BAOBs: true, Logs: true,
			},
		})
		p, err := d.Register("W1", smok.Permanent, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.WaitSynced(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.hub.Down(smoktest.Both)
		if err := p.Set(t.Context(), time.Time{}, 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		for range 3600 {
			if !dueWithin(d, 20*time.Second) {
				break
			}
			time.Sleep(time.Second)
		}
		if err := w.hub.Up(smoktest.Both); err != nil {
			t.Fatal(err)
		}
		back := time.Now()
		if err := w.hub.Wait(t.Context(), func() bool { return w.pump.Counts().Samples == 1 }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(back); took > 15*time.Second {
			t.Errorf("the value came %v after the hub", took)
		}
	})
}

// dueWithin reports whether a task that failed will try again so soon.
func dueWithin(d *smok.Device, soon time.Duration) bool {
	return slices.ContainsFunc(d.Status().Tasks, func(task smok.TaskStatus) bool {
		return task.Failures > 0 && (task.Next.IsZero() || time.Until(task.Next) < soon)
	})
}
