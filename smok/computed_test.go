package smok_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok"
)

func TestComputedPathpoints(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.run(smok.Options{})
		var mu sync.Mutex
		reads := map[string]int{}
		reader := func(name string, v any) *smok.PathpointOptions {
			return &smok.PathpointOptions{Read: func(context.Context, smok.Advise) (any, error) {
				mu.Lock()
				defer mu.Unlock()
				reads[name]++
				return v, nil
			}}
		}
		a, b := w.register(d, "W1", reader("W1", 6)), w.register(d, "W2", reader("W2", 4))
		p, err := d.Pathpoint("rd{W1}/{W2}", smok.Trend)
		w.must(err)
		if !p.Computed() || p.Type() != 'd' || p.CanRead() {
			t.Errorf("%c", p.Type())
		}
		if err := get(p).(error); !errors.Is(err, smok.ErrNotRead) {
			t.Errorf("constituents never read: %v", err)
		}
		now := time.Now().Truncate(time.Millisecond)
		w.must(a.Set(t.Context(), now.Add(-time.Hour), 3))
		w.must(b.Set(t.Context(), now.Add(-time.Minute), 2))
		if s, err := p.Get(); err != nil || s.Value != 1.5 || !s.Time.Equal(now.Add(-time.Minute)) {
			t.Errorf("%+v, %v", s, err)
		}
		w.must(b.SetError(t.Context(), now.Add(-time.Second), smok.ReasonInvalid))
		if err := get(p).(error); !errors.Is(err, smok.ErrBadPathpoint) {
			t.Errorf("the error of a constituent: %v", err)
		}
		if s, err := p.Read(t.Context(), smok.Force); err != nil || s.Value != 1.5 || reads["W1"] != 1 || reads["W2"] != 1 {
			t.Errorf("%+v, %v, %v", s, err, reads)
		}
		// what would change it does nothing
		w.must(p.Set(t.Context(), time.Time{}, 9))
		w.must(p.Write(t.Context(), 9, smok.Force))
		if get(p) != 1.5 {
			t.Errorf("%v", get(p))
		}
		time.Sleep(time.Second)
		w.must(b.Set(t.Context(), time.Time{}, 0))
		if err := get(p).(error); !errors.Is(err, smok.ErrType) {
			t.Errorf("division by zero: %v", err)
		}
		w.sleep(2 * time.Second)
		for _, known := range w.pump.Pathpoints() {
			if known.Path[0] == 'r' {
				t.Errorf("the hub knows %q", known.Path)
			}
		}
		if got := w.pump.Samples("rd{W1}/{W2}"); got != nil {
			t.Errorf("uploaded: %+v", got)
		}
		if len(d.Pathpoints()) != 2 {
			t.Errorf("kept: %d pathpoints", len(d.Pathpoints()))
		}
	})
}

func TestComputedPathpointsInOneAnother(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		w.must(w.register(d, "W1", nil).Set(t.Context(), time.Time{}, 3))
		p, err := d.Pathpoint("rW{rd{W1}*2}+{W1}", smok.Trend)
		w.must(err)
		if get(p) != int64(9) {
			t.Errorf("%v", get(p))
		}
		for _, name := range []string{
			"r", "rW", "rx{W1}", "rW{W1", "rW{}", "rW1+1", "rW{W1}+", "rW__import__('os'){W1}", "rW" + strings.Repeat("{rW", 9) + "{W1}" + strings.Repeat("}", 9),
		} {
			if p, err := d.Pathpoint(name, smok.Trend); !errors.Is(err, smok.ErrInvalidArgument) {
				t.Errorf("%s: %v, %v", name, p, err)
			}
		}
	})
}

// TestServerTextIsNotRun: the original evaluates it as Python.
func TestServerTextIsNotRun(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		w.must(w.register(d, "W1", nil).Set(t.Context(), time.Time{}, 3))
		p, err := d.Pathpoint("ru().__class__.__base__.__subclasses__(){W1}", smok.Trend)
		if err == nil {
			t.Errorf("%v", get(p))
		}
	})
}

func TestSettingsOfComputedPathpoints(t *testing.T) {
	for _, test := range []struct {
		settings smok.PathpointSettings
		path     string
		want     any
	}{
		{smok.PathpointSettings{}, "rW{W1}/2", 1.5},
		{smok.PathpointSettings{CoerceComputed: true}, "rW{W1}/2", int64(1)},
		{smok.PathpointSettings{}, "rfmkflt(0x3F80, {W0})", 1.0},
		{smok.PathpointSettings{LegacyFloat: true}, "rfmkflt(0x3F80, {W0})", 4.600602988224807e-41},
	} {
		inWorld(t, func(t *testing.T, w *world) {
			d := w.device(smok.Options{Pathpoints: test.settings})
			w.must(w.register(d, "W0", nil).Set(t.Context(), time.Time{}, 0))
			w.must(w.register(d, "W1", nil).Set(t.Context(), time.Time{}, 3))
			p, err := d.Pathpoint(test.path, smok.Trend)
			w.must(err)
			if diff := cmp.Diff(test.want, get(p)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.path, diff)
			}
		})
	}
}

// TestLevelOfAComputedPathpoint: the original compares a slave with itself.
func TestLevelOfAComputedPathpoint(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{})
		a, b := w.register(d, "W1", nil), w.register(d, "W2", nil)
		p, err := d.Pathpoint("rW{W1}+{W2}", smok.Permanent)
		w.must(err)
		if a.Level() != smok.Permanent || b.Level() != smok.Permanent || p.Level() != smok.Permanent {
			t.Errorf("%v, %v, %v", a.Level(), b.Level(), p.Level())
		}
	})
}

func TestArchive(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		d := w.device(smok.Options{Offline: true})
		a, b := w.register(d, "W1", nil), w.register(d, "u1", nil)
		base := time.Now().Add(-time.Hour).Truncate(time.Second)
		at := func(n int) time.Time { return base.Add(time.Duration(n) * time.Second) }
		for _, n := range []int{1, 3, 5} {
			w.must(a.Set(t.Context(), at(n), n))
			if n == 3 { // its level changes, and with it the log
				_, err := d.Pathpoint("W1", smok.Permanent)
				w.must(err)
			}
		}
		for _, n := range []int{2, 3, 9} {
			w.must(b.Set(t.Context(), at(n), n))
		}
		w.must(a.SetError(t.Context(), at(12), smok.ReasonTimeout))
		archive := func(name string, from, to time.Time) (all []any) {
			p, err := d.Pathpoint(name, smok.Trend)
			w.must(err)
			for s, err := range p.Archive(from, to) {
				if err != nil {
					t.Error(err)
				}
				all = append(all, int(s.Time.Sub(base)/time.Second), s.Value, string(s.Reason))
			}
			return all
		}
		for _, test := range []struct {
			name     string
			from, to time.Time
			want     []any
		}{
			{"W1", time.Time{}, time.Time{}, []any{1, int64(1), "", 3, int64(3), "", 5, int64(5), "", 12, nil, "timeout"}},
			{"W1", at(3), at(5), []any{3, int64(3), "", 5, int64(5), ""}},
			{"W404", time.Time{}, time.Time{}, nil},
			{"rustr({W1}) + {u1}", time.Time{}, at(11), []any{2, "12", "", 3, "33", "", 5, "53", "", 9, "59", ""}},
			{"rustr({W1}) + {u1}", at(10), time.Time{}, nil},
			{"rW{W1}", at(10), time.Time{}, []any{12, nil, "timeout"}},
		} {
			if diff := cmp.Diff(test.want, archive(test.name, test.from, test.to)); diff != "" {
				t.Errorf("%s from %v to %v (-want +got):\n%s", test.name, test.from, test.to, diff)
			}
		}
		p, err := d.Pathpoint("rustr({W1}) + {u1}", smok.Trend)
		w.must(err)
		for range p.Archive(time.Time{}, time.Time{}) {
			break // leaves nothing behind
		}
	})
}

func TestRetention(t *testing.T) {
	for _, test := range []struct {
		name      string
		retention time.Duration
		bytes     int64
		want      int
	}{
		{"none", 0, 0, 0},
		{"an hour", time.Hour, 0, 20},
		{"some bytes", 24 * time.Hour, 500, 15},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				dir := t.TempDir()
				opts := func() smok.Options {
					return smok.Options{Store: w.disk(dir, nil), Pathpoints: smok.PathpointSettings{Retention: test.retention, RetentionBytes: test.bytes}}
				}
				d := w.run(opts())
				p := w.register(d, "W1", nil)
				for range 40 {
					w.must(p.Set(t.Context(), time.Time{}, 1))
					w.sleep(3 * time.Minute)
				}
				count := func(p *smok.Pathpoint) (n int) {
					for _, err := range p.Archive(time.Time{}, time.Time{}) {
						if err != nil {
							t.Error(err)
						}
						n++
					}
					return n
				}
				if n := count(p); n < test.want-3 || n > test.want+3 {
					t.Errorf("%d samples, want about %d", n, test.want)
				}
				before, uploads := count(p), w.pump.Counts()
				w.must(d.Close())
				d = w.run(opts())
				p = w.register(d, "W1", nil)
				w.sleep(time.Second)
				if n := count(p); n < before-1 || n > before {
					t.Errorf("%d samples after a restart, %d before", n, before)
				}
				if c := w.pump.Counts(); c.Samples != 40 || c.Repeated != uploads.Repeated {
					t.Errorf("what was kept was sent again: %+v", c)
				}
				if s := d.Status(); s.Values.Waiting != 0 {
					t.Errorf("%+v", s.Values)
				}
			})
		})
	}
}
