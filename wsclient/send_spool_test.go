package wsclient_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

func openSpool(t *testing.T, dir string, opts *spool.Options) *spool.Spool {
	t.Helper()
	if opts == nil {
		opts = &spool.Options{Sync: spool.SyncNone}
	}
	s, err := spool.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// leave has a process leave numbered messages in a spool.
func leave(t *testing.T, w *world, dir string, n int) {
	t.Helper()
	s := openSpool(t, dir, nil)
	m := w.manager(wsclient.Options{Send: wsclient.SendOptions{Mode: wsclient.SendQueued, Spool: s}})
	enqueue(t, m, 1, n)
	if err := m.Shutdown(canceled()); err != nil {
		t.Errorf("what is in a spool is not left behind: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// damage changes the one file in dir whose name ends in suffix.
func damage(t *testing.T, dir, suffix string, change func([]byte) []byte) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil || len(names) != 1 {
		t.Fatalf("files %v, %v", names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	if data = change(data); data == nil {
		err = os.Remove(names[0])
	} else {
		err = os.WriteFile(names[0], data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestSpoolDamaged_QU25(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		suffix string
		change func([]byte) []byte
		want   []string
	}{
		{
			"truncated tail", ".seg",
			func(b []byte) []byte { return b[:strings.LastIndex(string(b), "300")] },
			numbers(1, 299),
		},
		{
			"flipped bit in the middle", ".seg",
			func(b []byte) []byte {
				b[strings.Index(string(b), "150")] ^= 1
				return b
			},
			append(numbers(1, 149), numbers(151, 300)...),
		},
		{"missing cursor", "cursor", func([]byte) []byte { return nil }, numbers(1, 300)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				dir := t.TempDir()
				leave(t, w, dir, 300)
				damage(t, dir, tc.suffix, tc.change)
				var r record
				w.serve(r.serve)
				s := openSpool(t, dir, nil)
				m := w.connect(wsclient.Options{Send: wsclient.SendOptions{Mode: wsclient.SendQueued, Spool: s}})
				enqueue(t, m, 301, 310)
				if err := m.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				diff(t, append(tc.want, numbers(301, 310)...), r.texts())
				if st := m.Stats(); st.OutboundDepth != 0 {
					t.Errorf("%+v", st)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// failing is a spool on a disk that fails with an error of the system; 0 means that it works.
type failing struct {
	*spool.Spool
	cause atomic.Uint64
}

func (f *failing) Append(ctx context.Context, e spool.Entry) (uint64, error) {
	if cause := f.cause.Load(); cause != 0 {
		return 0, wserr.Spool("spool.append", "dir", syscall.Errno(cause))
	}
	return f.Spool.Append(ctx, e)
}

func TestSpoolFails_QU25(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]syscall.Errno{"no space": syscall.ENOSPC, "read-only": syscall.EROFS} {
		t.Run(name+"/refuse", func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				var r record
				w.serve(r.serve)
				s := &failing{Spool: openSpool(t, t.TempDir(), nil)}
				m := w.connect(wsclient.Options{Send: wsclient.SendOptions{Mode: wsclient.SendQueued, Spool: s}})
				enqueue(t, m, 1, 2)
				s.cause.Store(uint64(cause))
				err := m.Send(t.Context(), wsclient.Text, []byte("not accepted"))
				if want[*wsclient.SpoolError](t, err); !errors.Is(err, cause) {
					t.Error(err)
				}
				s.cause.Store(0)
				enqueue(t, m, 3, 4)
				if err := m.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				diff(t, numbers(1, 4), r.texts())
				_ = s.Close()
			})
		})
		t.Run(name+"/fall back", func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				var r record
				w.serve(r.serve)
				s := &failing{Spool: openSpool(t, t.TempDir(), nil)}
				m := w.manager(wsclient.Options{Send: wsclient.SendOptions{
					Mode: wsclient.SendQueued, Spool: s, SpoolFailure: wsclient.SpoolFallback, MaxMessages: 5,
				}})
				enqueue(t, m, 1, 2)
				s.cause.Store(uint64(cause))
				enqueue(t, m, 3, 7)
				want[*wsclient.QueueFullError](t, m.Send(t.Context(), wsclient.Text, []byte("not accepted")))
				if n := s.Len(); n != 2 {
					t.Errorf("%d messages in the spool", n)
				}
				s.cause.Store(0)
				time.Sleep(time.Second)
				enqueue(t, m, 8, 8)
				if n := s.Len(); n != 8 {
					t.Errorf("%d messages in the spool", n)
				}
				if err := m.Connect(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := m.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				synctest.Wait()
				diff(t, numbers(1, 8), r.texts())
				_ = s.Close()
			})
		})
	}
	t.Run("second opener", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		openSpool(t, dir, nil)
		_, err := spool.Open(dir, nil)
		want[*wsclient.ConfigError](t, err)
	})
}

// In a bubble no time passes while messages are stored.
func TestSpoolOrder_QU26(t *testing.T) {
	t.Parallel()
	n := size(10_000, 2000, 100_000)
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.serve)
		s := openSpool(t, t.TempDir(), nil)
		m := w.manager(wsclient.Options{Send: wsclient.SendOptions{Mode: wsclient.SendQueued, Spool: s}})
		began := time.Now()
		enqueue(t, m, 1, n)
		if d := time.Since(began); d != 0 {
			t.Fatalf("%v have passed", d)
		}
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		diff(t, numbers(1, n), r.texts())
		_ = s.Close()
	})
}
