package diskstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/disk"
	"github.com/fieldlink-go/fieldlink/smok/store/storetest"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	leak.Main(m)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, dir string, opts *diskstore.Options) *store.Store {
	t.Helper()
	s, err := diskstore.Open(dir, opts)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// reports collects what a store reports.
type reports struct {
	mu   sync.Mutex
	list []store.Report
}

func (r *reports) hook(rep store.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, rep)
}

func (r *reports) take() []store.Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.list = nil }()
	return r.list
}

// texts returns the payloads of all records.
func texts(t testing.TB, l store.Log) []string {
	t.Helper()
	list, err := payloads(l)
	must(t, err)
	return list
}

func payloads(l store.Log) ([]string, error) {
	list := []string{}
	for next := uint64(0); ; {
		records, err := l.PeekFrom(next, 1000)
		if err != nil || len(records) == 0 {
			return list, err
		}
		for _, r := range records {
			list = append(list, string(r.Payload))
			next = r.Seq + 1
		}
	}
}

// The parts below close the whole store.

type closingLog struct {
	store.Log
	root *store.Store
}

func (l closingLog) Close() error { return l.root.Close() }

type closingKeyed struct {
	store.Keyed
	root *store.Store
}

func (k closingKeyed) Close() error { return k.root.Close() }

type closingBlobs struct {
	store.Blobs
	root *store.Store
}

func (b closingBlobs) Close() error { return b.root.Close() }

// TestConformance: every part passes the tests of its kind.
func TestConformance(t *testing.T) {
	t.Parallel()
	for area, pick := range map[string]func(*store.Store) store.Log{
		"trend":     func(s *store.Store) store.Log { return s.Trend },
		"permanent": func(s *store.Store) store.Log { return s.Permanent },
		"journal":   func(s *store.Store) store.Log { return s.Journal },
	} {
		t.Run(area, func(t *testing.T) {
			t.Parallel()
			storetest.Log(t, func(t *testing.T) storetest.Open[store.Log] {
				dir := scratch(t)
				return func() (store.Log, error) {
					s, err := diskstore.Open(dir, nil)
					if err != nil {
						return nil, err
					}
					return closingLog{pick(s), s}, nil
				}
			}, true)
		})
	}
	t.Run("keyed", func(t *testing.T) {
		t.Parallel()
		storetest.Keyed(t, func(t *testing.T) storetest.Open[store.Keyed] {
			dir := scratch(t)
			return func() (store.Keyed, error) {
				s, err := diskstore.Open(dir, nil)
				if err != nil {
					return nil, err
				}
				return closingKeyed{s.Keyed, s}, nil
			}
		}, true)
	})
	t.Run("blobs", func(t *testing.T) {
		t.Parallel()
		storetest.Blobs(t, func(t *testing.T) storetest.Open[store.Blobs] {
			dir := scratch(t)
			return func() (store.Blobs, error) {
				s, err := diskstore.Open(dir, &diskstore.Options{MaxBlob: storetest.MaxBlob, MaxBlobs: storetest.MaxBlobs})
				if err != nil {
					return nil, err
				}
				return closingBlobs{s.Blobs, s}, nil
			}
		}, true)
	})
}

func TestExclusive(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	s := open(t, dir, nil)
	if _, err := diskstore.Open(dir, nil); !errors.Is(err, errkit.Conflict) || !errors.Is(err, smokerr.ErrStore) {
		t.Errorf("Open: %v", err)
	}
	must(t, s.Close())
	must(t, s.Close())
	open(t, dir, nil)
}

// TestErrors: the errors of the logs are those of module smok.
func TestErrors(t *testing.T) {
	t.Parallel()
	s := open(t, scratch(t), &diskstore.Options{MaxWrites: 1 << 20})
	_, err := s.Journal.Append(t.Context(), store.Entry{Payload: make([]byte, spool.MaxPayload+1)})
	if !errors.Is(err, smokerr.ErrInvalidArgument) || !errors.Is(err, spool.ErrMessageTooBig) {
		t.Errorf("a long record: %v", err)
	}
	if err := s.Journal.Remove(5); !errors.Is(err, smokerr.ErrInvalidArgument) {
		t.Errorf("Remove: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Journal.Wait(ctx, 1); !errors.Is(err, smokerr.ErrStore) || !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
	must(t, s.Close())
	if _, err := s.Journal.PeekFrom(0, 1); !errors.Is(err, smokerr.ErrClosed) {
		t.Errorf("PeekFrom: %v", err)
	}
}

// TestOldestLogsGo: logs and sensor writes make room by dropping the oldest, which is reported.
func TestOldestLogsGo(t *testing.T) {
	t.Parallel()
	var reps reports
	s := open(t, scratch(t), &diskstore.Options{MaxLogs: 5000, MaxWrites: 5000, OnReport: reps.hook})
	for _, l := range []store.Log{s.Logs, s.Writes} {
		for range 20 {
			_, err := l.Append(t.Context(), store.Entry{Payload: make([]byte, 976)})
			must(t, err)
		}
		if l.Len() != 5 || l.Bytes() > 5000 {
			t.Errorf("%d records, %d bytes", l.Len(), l.Bytes())
		}
	}
	must(t, s.Close())
	lost := map[string]uint64{}
	for _, r := range reps.take() {
		lost[r.Area+" "+r.Kind.String()] += r.Records
	}
	if d := cmp.Diff(map[string]uint64{"logs dropped": 15, "writes dropped": 15}, lost); d != "" {
		t.Errorf("reports, -want +got:\n%s", d)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []diskstore.Options{
		{FlushInterval: -1}, {MaxValues: 100}, {MaxLogs: -1}, {MaxWrites: 5}, {MaxKeyed: -1}, {MaxBlob: -1}, {MaxBlobs: -1},
	} {
		dir := filepath.Join(t.TempDir(), "device")
		if _, err := diskstore.Open(dir, &o); !errors.Is(err, smokerr.ErrInvalidArgument) {
			t.Errorf("%+v: %v", o, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%+v: there is a directory", o)
		}
	}
	if _, err := diskstore.Open("", nil); !errors.Is(err, smokerr.ErrInvalidArgument) {
		t.Errorf("no directory: %v", err)
	}
}

// TestDropsTrendBeforePermanent: values share one bound; what goes is counted, and reported.
func TestDropsTrendBeforePermanent(t *testing.T) {
	t.Parallel()
	var reps reports
	s := open(t, scratch(t), &diskstore.Options{MaxValues: 10_000, OnReport: reps.hook})
	value := func(name string) store.Entry {
		return store.Entry{Payload: []byte(name + strings.Repeat(".", 976-len(name)))} // 1000 bytes with its frame
	}
	for i := range 6 {
		_, err := s.Trend.Append(t.Context(), value(fmt.Sprint("t", i)))
		must(t, err)
	}
	for i := range 9 {
		_, err := s.Permanent.Append(t.Context(), value(fmt.Sprint("p", i)))
		must(t, err)
	}
	names := func(l store.Log) string {
		var list []string
		for _, text := range texts(t, l) {
			list = append(list, strings.TrimRight(text, "."))
		}
		return strings.Join(list, " ")
	}
	if got := names(s.Trend) + " | " + names(s.Permanent); got != "t5 | p0 p1 p2 p3 p4 p5 p6 p7 p8" {
		t.Errorf("after trend made room: %s", got)
	}
	_, err := s.Permanent.AppendBatch(t.Context(), []store.Entry{value("p9"), value("p10")})
	must(t, err)
	if got := names(s.Trend) + " | " + names(s.Permanent); got != " | p1 p2 p3 p4 p5 p6 p7 p8 p9 p10" {
		t.Errorf("after permanent made room: %s", got)
	}
	if _, err := s.Trend.Append(t.Context(), value("t6")); !errors.Is(err, smokerr.ErrQueueFull) || !errors.Is(err, errkit.Full) {
		t.Errorf("a trend value displaces a permanent one: %v", err)
	}
	must(t, s.Close())
	lost := map[string]uint64{}
	for _, r := range reps.take() {
		lost[r.Area+" "+r.Kind.String()] += r.Records
	}
	if d := cmp.Diff(map[string]uint64{"trend dropped": 6, "permanent dropped": 1, "trend refused": 1}, lost); d != "" {
		t.Errorf("reports, -want +got:\n%s", d)
	}
}

// TestDiskFails: a disk that is full or read-only gives a typed error, nothing changes, and when it is well again all
// goes on.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		kind errkit.Kind
		ops  []disk.Op
	}{
		{"no space", syscall.ENOSPC, errkit.Full, []disk.Op{disk.Write, disk.Create}},
		{"no space at the sync", syscall.ENOSPC, errkit.Full, []disk.Op{disk.Sync}},
		{"read-only", syscall.EROFS, 0, []disk.Op{disk.Write, disk.Create, disk.Rename, disk.Remove, disk.Mkdir}},
		{"names do not change", syscall.EIO, 0, []disk.Op{disk.Rename, disk.Remove}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var ill bool
			fault := func(op disk.Op, _ string) error {
				if ill && slices.Contains(c.ops, op) {
					return c.err
				}
				return nil
			}
			dir := filepath.Join(scratch(t), "a", "device")
			ill = true
			if c.name != "names do not change" {
				_, err := diskstore.OpenOn(fault, dir, nil)
				failed(t, "Open", err, c.err, c.kind)
			}
			ill = false
			s, err := diskstore.OpenOn(fault, dir, nil)
			must(t, err)
			defer s.Close()
			_, err = s.Blobs.Put(t.Context(), "k", 1, strings.NewReader("old"))
			must(t, err)
			ill = true
			_, err = s.Blobs.Put(t.Context(), "k", 2, strings.NewReader("new"))
			failed(t, "Put", err, c.err, c.kind)
			if c.ops[0] != disk.Write {
				failed(t, "Delete", s.Blobs.Delete("k"), c.err, c.kind)
			}
			ill = false
			_, r, err := s.Blobs.Open("k")
			if c.name != "no space at the sync" { // there the names may have changed
				must(t, err)
				text, err := io.ReadAll(r)
				must(t, err)
				must(t, r.Close())
				if string(text) != "old" {
					t.Errorf("the blob is %q", text)
				}
			} else if err == nil {
				must(t, r.Close())
			}
			_, err = s.Blobs.Put(t.Context(), "k", 3, strings.NewReader("newer"))
			must(t, err)
			must(t, s.Close())
			s, err = diskstore.OpenOn(fault, dir, nil)
			must(t, err)
			defer s.Close()
			if blob, err := s.Blobs.Get("k"); blob.Version != 3 || err != nil {
				t.Errorf("the blob is %v, %v", blob, err)
			}
			left, err := filepath.Glob(filepath.Join(dir, "blobs", "*.tmp"))
			must(t, err)
			if len(left) > 0 {
				t.Errorf("half written files are left: %v", left)
			}
		})
	}
}

func failed(t *testing.T, what string, err, cause error, kind errkit.Kind) {
	t.Helper()
	if !errors.Is(err, smokerr.ErrStore) || !errors.Is(err, cause) || kind != 0 && !errors.Is(err, kind) {
		t.Errorf("%s: %v", what, err)
	}
}

// TestOlderVersion: a directory of an older version is brought up to date, once; if that fails, it is tried again.
func TestOlderVersion(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	s := open(t, dir, nil)
	_, err := s.Journal.Append(t.Context(), store.Entry{Payload: []byte("kept")})
	must(t, err)
	must(t, s.Close())
	var ran []string
	boom := errors.New("boom")
	fail := true
	first := func(dir string) error {
		ran = append(ran, "first")
		return os.WriteFile(filepath.Join(dir, "first"), nil, 0o600)
	}
	second := func(dir string) error {
		ran = append(ran, "second")
		if fail {
			return boom
		}
		return os.Remove(filepath.Join(dir, "first"))
	}
	if _, err := diskstore.OpenOn(nil, dir, nil, first, second); !errors.Is(err, boom) || !errors.Is(err, smokerr.ErrStore) {
		t.Errorf("Open with a step that fails: %v", err)
	}
	fail = false
	for range 2 {
		s, err := diskstore.OpenOn(nil, dir, nil, first, second)
		must(t, err)
		if got := texts(t, s.Journal); len(got) != 1 || got[0] != "kept" {
			t.Errorf("journal %q", got)
		}
		must(t, s.Close())
	}
	if d := cmp.Diff([]string{"first", "second", "second"}, ran); d != "" {
		t.Errorf("steps, -want +got:\n%s", d)
	}
	b, err := os.ReadFile(filepath.Join(dir, "version"))
	must(t, err)
	if want := diskstore.FormatVersion(diskstore.Versions + 2); !bytes.Equal(b, want) {
		t.Errorf("version %q, want %q", b, want)
	}
}

// TestNewerVersion: a directory of a newer version is refused and left alone.
func TestNewerVersion(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	name := filepath.Join(dir, "version")
	must(t, os.WriteFile(name, diskstore.FormatVersion(diskstore.Versions+1), 0o600))
	if _, err := diskstore.Open(dir, nil); !errors.Is(err, smokerr.ErrStore) || errors.Is(err, smokerr.ErrCorrupt) {
		t.Errorf("Open: %v", err)
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if e.Name() != "version" && e.Name() != "lock" {
			t.Errorf("there is %s", e.Name())
		}
	}
}

// TestDamagedBlob: a blob whose file is damaged is set aside and reported, whether in its head or in its content.
func TestDamagedBlob(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]int64{"in the head": 20, "in the key": 64, "in the content": 80} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := scratch(t)
			var reps reports
			opts := &diskstore.Options{OnReport: reps.hook}
			s := open(t, dir, opts)
			for _, key := range []string{"good", "bad"} {
				_, err := s.Blobs.Put(t.Context(), key, 1, strings.NewReader("content of "+key+strings.Repeat(".", 100)))
				must(t, err)
			}
			must(t, s.Close())
			flip(t, filepath.Join(dir, "blobs", diskstore.BlobName("bad")), at)
			s = open(t, dir, opts)
			if _, r, err := s.Blobs.Open("bad"); err == nil {
				if _, err := io.ReadAll(r); !errors.Is(err, smokerr.ErrCorrupt) {
					t.Errorf("reading: %v", err)
				}
				must(t, r.Close())
			}
			if _, err := s.Blobs.Get("bad"); !errors.Is(err, errkit.NotFound) {
				t.Errorf("Get: %v", err)
			}
			if _, err := s.Blobs.Get("good"); err != nil {
				t.Errorf("Get: %v", err)
			}
			list := reps.take()
			if len(list) != 1 || list[0].Area != "blobs" || list[0].Kind != spool.Damaged || !strings.Contains(list[0].File, ".corrupt-") {
				t.Fatalf("reports %v", list)
			}
			if _, err := os.Stat(filepath.Join(dir, list[0].File)); err != nil {
				t.Error(err)
			}
			_, err := s.Blobs.Put(t.Context(), "bad", 2, strings.NewReader("anew"))
			must(t, err)
		})
	}
}

// flip changes one bit of a file.
func flip(t testing.TB, name string, at int64) {
	t.Helper()
	b, err := os.ReadFile(name)
	must(t, err)
	b[at] ^= 1
	must(t, os.WriteFile(name, b, 0o600))
}
