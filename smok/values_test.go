package smok_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok"
)

// sent returns the values that the hub has of a pathpoint, in the order in which they came.
func (w *world) sent(path string) (all []any) {
	for _, s := range w.pump.Samples(path) {
		all = append(all, s.Value)
	}
	return all
}

func (w *world) wantSent(path string, want ...any) {
	w.t.Helper()
	if d := cmp.Diff(want, w.sent(path)); d != "" {
		w.t.Errorf("%s at the hub (-want +got):\n%s", path, d)
	}
}

func TestValuesReachTheHub(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		p := w.register(d, "W1", nil)
		ctx := t.Context()
		w.must(p.Set(ctx, time.Time{}, 7))
		w.sleep(time.Millisecond)
		w.must(p.Set(ctx, time.Time{}, 8))
		w.sleep(3 * time.Second)
		w.wantSent("W1", int64(7), int64(8))
		w.must(d.WaitSynced(ctx))
		if s := d.Status(); s.Link != smok.LinkUp || s.Values.Waiting != 0 || s.Pathpoints != 1 {
			t.Errorf("%+v", s)
		}
	})
}
