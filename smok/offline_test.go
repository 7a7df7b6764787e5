package smok_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/smok"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// outage is a time without a link, and the bounds of the store meanwhile.
type outage struct {
	pathpoints int           // that get a value every 10 s, of which the last two are permanent
	offline    time.Duration // how long there is no link
	maxValues  int64
	maxAge     time.Duration
	memory     uint64 // what the device may add to the heap
}

// every is how often each pathpoint gets a value.
const every = 10 * time.Second

// beside is what the directory may have beside the values: for each of their two logs a segment that is in use no more but
// for its end, and the keyed state, which is a file of 128 KiB here.
const beside = 3 << 20

// A gateway takes readings for 30 days without a link (three hours of that without -full, with smaller bounds).
// Its store stays within the bound, and its memory does not grow. What is lost is told of, number by number, and is what
// the policy says: trend values go first, and of them the oldest; of permanent ones only those that are too old. When
// the link is back, over a satellite, what waits comes in order, and new values come within seconds nevertheless.
func TestOfflineForThirtyDays(t *testing.T) {
	o := outage{pathpoints: 200, offline: 3 * time.Hour, maxValues: 2 << 20, maxAge: 90 * time.Minute, memory: 8 << 20}
	if *full {
		o.offline, o.maxValues, o.maxAge = 30*24*time.Hour, 64<<20, 14*24*time.Hour
	}
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC))) // values of before 2020 have no age
		w := newSatelliteWorld(t)
		lost := newLosses()
		s, err := diskstore.Open(dir, &diskstore.Options{
			FlushInterval: time.Minute, MaxValues: o.maxValues, MaxAge: o.maxAge, OnReport: lost.note,
		})
		if err != nil {
			t.Fatal(err)
		}
		w.hub.Down(smoktest.Both)
		d := w.run(smok.Options{Store: s, OnError: func(string, error) {}}) // the link is down, again and again
		g := newGauge(t, d, o.pathpoints)

		before := heap()
		for range o.offline / (10 * every) {
			for range 10 {
				g.read(t)
				time.Sleep(every)
			}
			if size := sizeOf(t, dir); size > o.maxValues+beside {
				t.Fatalf("after %d rounds the directory has %d bytes, want at most %d", g.rounds, size, o.maxValues+beside)
			}
		}
		if after := heap(); after > before+o.memory {
			t.Errorf("the heap grew from %d to %d bytes", before, after)
		}
		offline := g.rounds
		waiting := d.Status().Values.Waiting

		w.must(w.hub.Up(smoktest.Both))
		for behind := true; behind; {
			g.read(t)
			time.Sleep(every)
			behind = d.Status().Values.Waiting > 0 || g.rounds < offline+10
		}
		t.Logf("%d rounds of %d values without a link, %d kept, %d rounds until the hub had them, lost: %v",
			offline, o.pathpoints, waiting, g.rounds-offline, lost.totals())
		w.compare(g, o, lost)
	})
}

// satelliteWorld is a world whose link is slow, with the times at which requests came.
type satelliteWorld struct {
	*world
	mu   sync.Mutex
	came map[uint64]time.Time // by the number of the request
}

func newSatelliteWorld(t *testing.T) *satelliteWorld {
	w := &satelliteWorld{
		world: &world{t: t, network: netem.New(&netem.Options{Latency: 300 * time.Millisecond})},
		came:  make(map[uint64]time.Time),
	}
	w.hub = smoktest.New(&smoktest.Options{
		Listen: w.network.Listen, Hosts: []string{"hub.test"}, Addr: "hub.test:443", NGTTAddr: "hub.test:2405",
		MaxKept: 4 << 20,
		OnRequest: func(r smoktest.Request) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.came[r.Number] = r.Time
		},
	})
	w.must(w.hub.Start())
	t.Cleanup(func() { _ = w.hub.Close() })
	w.pump = w.hub.Device("pump")
	return w
}

// gauge reads pathpoints: the value is the number of the round.
type gauge struct {
	device  *smok.Device
	updates []smok.Update
	rounds  int
}

func newGauge(t *testing.T, d *smok.Device, pathpoints int) *gauge {
	g := &gauge{device: d}
	for i := range pathpoints {
		level := smok.Trend
		if i >= pathpoints-2 {
			level = smok.Permanent
		}
		p, err := d.Register(fmt.Sprintf("W%d", i), level, nil)
		if err != nil {
			t.Fatal(err)
		}
		g.updates = append(g.updates, smok.Update{Pathpoint: p})
	}
	return g
}

func (g *gauge) read(t *testing.T) {
	t.Helper()
	for i := range g.updates {
		g.updates[i].Value = g.rounds % 65536
	}
	if err := g.device.Set(t.Context(), g.updates...); err != nil {
		t.Fatal(err)
	}
	g.rounds++
}

// compare looks at what came to the hub: of each pathpoint all rounds from one on, and those that are missing before it
// were reported. They came in order, but for those from some moment on, which came in order beside the others; what was
// taken after the first upload came soon.
func (w *satelliteWorld) compare(g *gauge, o outage, lost *losses) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	missing := make(map[string]uint64)
	begin := make(map[string]int) // the first round that came of the first pathpoint, of each level
	var up time.Time              // of the first upload
	late := time.Duration(0)
	for _, u := range g.updates {
		name := u.Pathpoint.Name()
		samples := w.pump.Samples(name)
		if up.IsZero() {
			up = w.came[samples[0].Request]
		}
		var old, live []time.Time // two cursors
		for _, s := range samples {
			switch {
			case len(old) == 0 || s.Time.Equal(old[len(old)-1].Add(every)):
				old = append(old, s.Time)
			case len(live) == 0 || s.Time.Equal(live[len(live)-1].Add(every)):
				live = append(live, s.Time)
			default:
				w.t.Fatalf("%s: a value of %v came behind those of %v and %v", name, s.Time, old[len(old)-1], live[len(live)-1])
			}
			if s.Time.After(up) {
				late = max(late, w.came[s.Request].Sub(s.Time))
			}
		}
		if len(live) > 0 && live[0].Before(old[0]) {
			old, live = live, old // permanent ones that wait go before trend ones that wait, and leave them no room
		}
		if len(live) > 0 && !live[0].Equal(old[len(old)-1].Add(every)) {
			w.t.Fatalf("%s: between %v and %v values are missing", name, old[len(old)-1], live[0])
		}
		first, area := g.rounds-len(samples), "trend"
		if u.Pathpoint.Level() == smok.Permanent {
			area = "permanent"
			if age := lost.last.Sub(old[0].Add(-every)); first > 0 && age < o.maxAge {
				w.t.Errorf("%s: a value is missing that was at most %v old", name, age)
			}
		}
		missing[area] += uint64(first)
		if _, ok := begin[area]; !ok {
			begin[area] = first
		}
		if first < begin[area]-1 || first > begin[area] {
			w.t.Errorf("%s: begins with round %d, and the first pathpoint with %d", name, first, begin[area])
		}
	}
	if d := cmp.Diff(lost.records(), missing); d != "" {
		w.t.Errorf("lost values (-reported +missing):\n%s", d)
	}
	if late > 5*time.Second {
		w.t.Errorf("new values came up to %v after they were taken", late)
	}
}

// losses counts what the store reports as lost.
type losses struct {
	mu    sync.Mutex
	last  time.Time // of a report of permanent values
	kinds map[string]map[spool.ReportKind]uint64
}

func newLosses() *losses { return &losses{kinds: make(map[string]map[spool.ReportKind]uint64)} }

func (l *losses) note(r store.Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kinds[r.Area] == nil {
		l.kinds[r.Area] = make(map[spool.ReportKind]uint64)
	}
	l.kinds[r.Area][r.Kind] += r.Records
	if r.Area == "permanent" {
		l.last = time.Now()
	}
}

// records returns how many records of each part were lost.
func (l *losses) records() map[string]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := make(map[string]uint64)
	for area, kinds := range l.kinds {
		for _, n := range kinds {
			sum[area] += n
		}
	}
	return sum
}

func (l *losses) totals() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprint(l.kinds)
}

// sizeOf returns the size of all files in a directory.
func sizeOf(t *testing.T, dir string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if info, err := e.Info(); err == nil { // it may be gone meanwhile
			size += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}
