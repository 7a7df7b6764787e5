package logship_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/logship"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

func TestMain(m *testing.M) { leak.Main(m) }

// hub takes batches, or fails as fail says.
type hub struct {
	mu      sync.Mutex
	batches [][]api.LogRecord
	fail    func(records []api.LogRecord) error
}

func (h *hub) upload(_ context.Context, records []api.LogRecord) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		if err := h.fail(records); err != nil {
			return err
		}
	}
	h.batches = append(h.batches, append([]api.LogRecord(nil), records...))
	return nil
}

// messages returns what arrived, batch by batch.
func (h *hub) messages() [][]string {
	var all [][]string
	for _, batch := range h.batches {
		var messages []string
		for _, r := range batch {
			messages = append(messages, r.Message)
		}
		all = append(all, messages)
	}
	return all
}

func newQueue(t *testing.T, h *hub, cfg logship.Config) *logship.Queue {
	t.Helper()
	if cfg.Upload == nil {
		cfg.Upload = h.upload
	}
	q, err := logship.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func log(q *logship.Queue, messages ...string) {
	logger := slog.New(q.Handler())
	for _, m := range messages {
		logger.Info(m)
	}
}

func numbered(from, to int) []string {
	var all []string
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprint("m", i))
	}
	return all
}

func status(code int) error {
	return smokerr.Response(errkit.Info{Op: "hub.UploadLogs"}, smokerr.ResponseError{StatusCode: code})
}

// TestBatches checks how records are divided into uploads.
func TestBatches(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		cfg  logship.Config
		log  []string
		want []int // records of each upload
	}{
		{"one", logship.Config{}, numbered(0, 1), []int{1}},
		{"by number", logship.Config{}, numbered(0, 1001), []int{500, 500, 1}},
		{"by number of choice", logship.Config{BatchRecords: 2}, numbered(0, 5), []int{2, 2, 1}},
		{"by size", logship.Config{BatchBytes: 300}, []string{strings.Repeat("a", 120), strings.Repeat("b", 120), "c"}, []int{1, 2}},
		{"larger than a batch", logship.Config{BatchBytes: 100}, []string{strings.Repeat("a", 500), "b"}, []int{1, 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := new(hub)
			q := newQueue(t, h, tc.cfg)
			log(q, tc.log...)
			if err := q.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got []int
			var messages []string
			for i, batch := range h.messages() {
				got = append(got, len(batch))
				messages = append(messages, batch...)
				var body []byte
				for _, r := range h.batches[i] {
					body, _ = api.AppendLogRecord(body, &r)
				}
				if limit := tc.cfg.BatchBytes; limit > 0 && len(batch) > 1 && len(body)+api.MaxListHead > limit {
					t.Errorf("batch %d has %d bytes", i, len(body))
				}
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("batches (-want +got)\n%s", d)
			}
			if d := cmp.Diff(tc.log, messages); d != "" {
				t.Errorf("messages (-want +got)\n%s", d)
			}
			want := logship.Stats{Shipped: uint64(len(tc.log))}
			if d := cmp.Diff(want, q.Stats()); d != "" {
				t.Errorf("stats (-want +got)\n%s", d)
			}
		})
	}
}

// TestWait checks when there is something to send.
func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, new(hub), logship.Config{BatchRecords: 3})
		waited := make(chan time.Duration)
		wait := func() {
			began := time.Now()
			if err := q.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			waited <- time.Since(began)
		}
		go wait()
		time.Sleep(time.Hour) // nothing to send
		log(q, "a")
		if got := <-waited; got != time.Hour+time.Second {
			t.Errorf("a record was ready after %v", got)
		}
		go wait()
		time.Sleep(time.Second / 2)
		log(q, "b", "c")
		if got := <-waited; got != time.Second/2 {
			t.Errorf("a whole batch was ready after %v", got)
		}
		if err := q.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		over := errors.New("over")
		time.AfterFunc(time.Minute, func() { cancel(over) })
		if err := q.Wait(ctx); !errors.Is(err, over) {
			t.Errorf("%v", err)
		}
		log(q, "d")
		if err := q.Wait(ctx); !errors.Is(err, over) {
			t.Errorf("%v", err)
		}
	})
}

// TestOverflow checks that the oldest records go, and that the hub is told, once.
func TestOverflow(t *testing.T) {
	t.Parallel()
	h := new(hub)
	q := newQueue(t, h, logship.Config{Service: "pump", MaxRecords: 10, BatchRecords: 8})
	log(q, numbered(0, 25)...)
	if got := q.Stats(); got.Queued != 10 || got.Dropped != 15 {
		t.Errorf("%+v", got)
	}
	h.fail = func([]api.LogRecord) error { return status(599) }
	if err := q.Ship(t.Context()); !errors.Is(err, smokerr.ErrNoLink) {
		t.Errorf("%v", err)
	}
	h.fail = nil
	if err := q.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := [][]string{append([]string{"15 log records dropped"}, numbered(15, 22)...), numbered(22, 25)}
	if d := cmp.Diff(want, h.messages()); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if r := h.batches[0][0]; r.Level != 30 || r.Service != "pump" || !r.When.Before(h.batches[0][1].When) {
		t.Errorf("%+v", r)
	}
	if got, want := q.Stats(), (logship.Stats{Shipped: 11, Dropped: 15}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	log(q, "later")
	if err := q.Flush(t.Context()); err != nil || len(h.batches[2]) != 1 {
		t.Errorf("%v, %v", err, h.messages())
	}
}

// TestOverflowInBytes checks the other bound, with records that are each too large for it.
func TestOverflowInBytes(t *testing.T) {
	t.Parallel()
	q := newQueue(t, new(hub), logship.Config{MaxBytes: 10 << 10})
	big := strings.Repeat("x", 4<<10)
	for range 100 {
		log(q, big)
		if got := q.Stats(); got.Bytes > 10<<10 {
			t.Fatalf("%+v", got)
		}
	}
	if got := q.Stats(); got.Queued != 2 || got.Dropped != 98 {
		t.Errorf("%+v", got)
	}
	small := newQueue(t, new(hub), logship.Config{MaxBytes: 10})
	log(small, big, big)
	if got := small.Stats(); got.Queued != 1 || got.Dropped != 1 {
		t.Errorf("%+v", got)
	}
}

// TestDefaultBounds checks the bounds of the zero configuration: 20,000 records, 8 MiB.
func TestDefaultBounds(t *testing.T) {
	t.Parallel()
	q := newQueue(t, new(hub), logship.Config{})
	log(q, numbered(0, 20_500)...)
	if got := q.Stats(); got.Queued != 20_000 || got.Dropped != 500 || got.Bytes > 8<<20 {
		t.Errorf("%+v", got)
	}
	q = newQueue(t, new(hub), logship.Config{})
	long := strings.Repeat("x", 100<<10)
	for range 200 {
		log(q, long)
	}
	if got := q.Stats(); got.Bytes > 8<<20 || got.Queued < 100 {
		t.Errorf("%+v", got)
	}
}

// TestOverflowWhileShipping checks that records that were dropped while they were on their way count as what became of
// them.
func TestOverflowWhileShipping(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		fail error
		want [][]string
		lost uint64
	}{
		{"they arrived", nil, [][]string{numbered(0, 4), append([]string{"3 log records dropped"}, numbered(7, 10)...), {"m10"}}, 3},
		{"they did not", status(503), [][]string{append([]string{"7 log records dropped"}, numbered(7, 10)...), {"m10"}}, 7},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := new(hub)
			var q *logship.Queue
			h.fail = func([]api.LogRecord) error {
				log(q, numbered(4, 11)...)
				return tc.fail
			}
			q = newQueue(t, h, logship.Config{MaxRecords: 4, BatchRecords: 4})
			log(q, numbered(0, 4)...)
			if err := q.Ship(t.Context()); !errors.Is(err, tc.fail) {
				t.Fatal(err)
			}
			h.fail = nil
			if err := q.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, h.messages()); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
			if got := q.Stats(); got.Dropped != tc.lost || got.Queued != 0 || got.Bytes != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestFailures checks what stays and what goes.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, code := range []int{401, 403, 408, 429, 500, 503, 599, 302} {
		h := &hub{fail: func([]api.LogRecord) error { return status(code) }}
		q := newQueue(t, h, logship.Config{})
		log(q, "a", "b")
		if err := q.Flush(t.Context()); err == nil || q.Stats().Queued != 2 {
			t.Errorf("%d: %v, %+v", code, err, q.Stats())
		}
		h.fail = nil
		if err := q.Flush(t.Context()); err != nil || len(h.batches) != 1 {
			t.Errorf("%d: %v", code, err)
		}
	}
}

// TestRejected checks that one bad record of a batch costs nothing but itself.
func TestRejected(t *testing.T) {
	t.Parallel()
	for _, code := range []int{400, 413, 422} {
		var rejected []string
		h := &hub{fail: func(records []api.LogRecord) error {
			for _, r := range records {
				if r.Message == "m5" {
					return status(code)
				}
			}
			return nil
		}}
		q := newQueue(t, h, logship.Config{OnReject: func(r api.LogRecord, err error) {
			rejected = append(rejected, r.Message)
			if !errors.Is(err, smokerr.ErrClientFault) {
				t.Errorf("%v", err)
			}
		}})
		log(q, numbered(0, 9)...)
		if err := q.Ship(t.Context()); err != nil {
			t.Fatal(err)
		}
		var arrived []string
		for _, batch := range h.messages() {
			arrived = append(arrived, batch...)
		}
		if d := cmp.Diff(append(numbered(0, 5), numbered(6, 9)...), arrived); d != "" {
			t.Errorf("%d (-want +got)\n%s", code, d)
		}
		if got, want := q.Stats(), (logship.Stats{Shipped: 8, Rejected: 1}); got != want || len(rejected) != 1 {
			t.Errorf("%d: %+v, rejected %v", code, got, rejected)
		}
	}
}

// TestLinkBreaksBetweenHalves checks that what has arrived is not sent again.
func TestLinkBreaksBetweenHalves(t *testing.T) {
	t.Parallel()
	calls := 0
	h := new(hub)
	h.fail = func([]api.LogRecord) error {
		calls++
		switch calls {
		case 1:
			return status(413)
		case 3:
			return status(599)
		}
		return nil
	}
	q := newQueue(t, h, logship.Config{})
	log(q, numbered(0, 4)...)
	if err := q.Ship(t.Context()); !errors.Is(err, smokerr.ErrNoLink) || q.Stats().Queued != 2 {
		t.Fatalf("%v, %+v", err, q.Stats())
	}
	if err := q.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]string{numbered(0, 2), numbered(2, 4)}, h.messages()); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestOwnRecords checks that what the upload logs does not come back.
func TestOwnRecords(t *testing.T) {
	t.Parallel()
	h := new(hub)
	var q *logship.Queue
	q = newQueue(t, h, logship.Config{Upload: func(ctx context.Context, records []api.LogRecord) error {
		logger := slog.New(q.Handler()).With("module", "smok").WithGroup("g")
		logger.ErrorContext(ctx, "upload failed")
		if logger.Enabled(ctx, slog.LevelError) {
			t.Error("enabled")
		}
		_ = logger.Handler().Handle(ctx, slog.NewRecord(time.Now(), slog.LevelError, "upload failed", 0))
		return h.upload(ctx, records)
	}})
	log(q, "a")
	if err := q.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]string{{"a"}}, h.messages()); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestNeverBlocks checks that the program logs on while an upload hangs, from many goroutines, and that nothing is lost
// or doubled then.
func TestNeverBlocks(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 500
	h := new(hub)
	started, logged := make(chan struct{}), make(chan struct{})
	var once sync.Once
	q := newQueue(t, h, logship.Config{Upload: func(ctx context.Context, records []api.LogRecord) error {
		once.Do(func() { close(started) })
		<-logged
		return h.upload(ctx, records)
	}})
	log(q, "first")
	var shipper sync.WaitGroup
	shipper.Go(func() {
		if err := q.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	})
	<-started
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				log(q, fmt.Sprint(w, "/", i))
			}
		})
	}
	group.Wait()
	close(logged)
	shipper.Wait()
	seen := make(map[string]int)
	var last time.Time
	for _, batch := range h.batches {
		for _, r := range batch {
			seen[r.Message]++
			if !r.When.After(last) {
				t.Fatalf("%v after %v", r.When, last)
			}
			last = r.When
		}
	}
	if len(seen) != writers*each+1 || q.Stats().Shipped != writers*each+1 {
		t.Errorf("%d of %d records, %+v", len(seen), writers*each+1, q.Stats())
	}
}

// TestConfig checks that what cannot work is refused.
func TestConfig(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*logship.Config){
		"Upload":       func(c *logship.Config) { c.Upload = nil },
		"MaxRecords":   func(c *logship.Config) { c.MaxRecords = -1 },
		"MaxBytes":     func(c *logship.Config) { c.MaxBytes = -1 },
		"BatchRecords": func(c *logship.Config) { c.BatchRecords = -1 },
		"BatchBytes":   func(c *logship.Config) { c.BatchBytes = -1 },
		"BatchDelay":   func(c *logship.Config) { c.BatchDelay = -1 },
	} {
		cfg := logship.Config{Upload: new(hub).upload}
		change(&cfg)
		_, err := logship.New(cfg)
		if wrong, ok := errors.AsType[*smokerr.InvalidArgumentError](err); !ok || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestMutedHandler checks that what goes through a muted handler is not taken, whichever way it was derived.
func TestMutedHandler(t *testing.T) {
	t.Parallel()
	got := shipped(t, logship.Config{}, func(l *slog.Logger) {
		muted := slog.New(logship.Mute(l.Handler()))
		muted.Info("no")
		muted.With("a", 1).WithGroup("g").Info("no")
		_ = muted.Handler().Handle(t.Context(), slog.NewRecord(time.Now(), slog.LevelInfo, "no", 0))
		l.Info("yes")
	})
	if len(got) != 1 || got[0].Message != "yes" {
		t.Errorf("%+v", got)
	}
}
