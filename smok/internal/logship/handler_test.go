package logship_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/logship"
)

// shipped returns the records that the hub gets of what write logs.
func shipped(t *testing.T, cfg logship.Config, write func(*slog.Logger)) []api.LogRecord {
	t.Helper()
	h := new(hub)
	q := newQueue(t, h, cfg)
	write(slog.New(q.Handler()))
	if err := q.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all []api.LogRecord
	for _, batch := range h.batches {
		all = append(all, batch...)
	}
	return all
}

type panicking struct{}

func (panicking) String() string { panic("no text") }

type valuer struct{}

func (valuer) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("a", 1), slog.String("b", "x y"))
}

// TestRendering checks how attributes stand behind the message, in both forms.
func TestRendering(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name       string
		write      func(*slog.Logger)
		text, json string
	}{
		{"none", func(l *slog.Logger) { l.Info("started") }, "started", "started"},
		{
			"kinds", func(l *slog.Logger) {
				l.Info("m", "n", 7, "u", uint64(8), "f", 1.5, "b", true, "s", "a b", "e", "", "d", time.Second, "t", at, "bytes", []byte("x"), "any", []int{1})
			},
			`m n=7 u=8 f=1.5 b=true s="a b" e="" d=1s t=2026-11-22T12:00:00Z bytes=x any=[1]`,
			`m {"n":7,"u":8,"f":1.5,"b":true,"s":"a b","e":"","d":"1s","t":"2026-11-22T12:00:00Z","bytes":"x","any":"[1]"}`,
		},
		{
			"groups", func(l *slog.Logger) {
				l.With("a", 1).WithGroup("g").With("b", 2).WithGroup("").Info("m", slog.Group("h", "c", 3), slog.Group("", "d", 4), slog.Group("empty"), "v", valuer{})
			},
			`m a=1 g.b=2 g.h.c=3 g.d=4 g.v.a=1 g.v.b="x y"`, `m {"a":1,"g.b":2,"g.h.c":3,"g.d":4,"g.v.a":1,"g.v.b":"x y"}`,
		},
		{"empty attribute", func(l *slog.Logger) { l.Info("m", slog.Attr{}, slog.Int("a", 1)) }, "m a=1", `m {"a":1}`},
		{"no number", func(l *slog.Logger) { l.Info("m", "f", math.NaN()) }, "m f=NaN", `m {"f":"NaN"}`},
		{"panic", func(l *slog.Logger) { l.Info("m", "p", panicking{}) }, `m p="%!v(PANIC=String method: no text)"`, `m {"p":"%!v(PANIC=String method: no text)"}`},
		{"no UTF-8", func(l *slog.Logger) { l.Info("\xff", "a", "\xfe") }, "\uFFFD a=\uFFFD", "\uFFFD {\"a\":\"\uFFFD\"}"},
		{"markup", func(l *slog.Logger) { l.Info("<m>", "a", "<&>") }, "<m> a=<&>", `<m> {"a":"<&>"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for form, want := range map[bool]string{false: tc.text, true: tc.json} {
				got := shipped(t, logship.Config{JSON: form}, tc.write)
				if len(got) != 1 || got[0].Message != want {
					t.Errorf("JSON %v: %+v\nwant %s", form, got, want)
					continue
				}
				if _, object, ok := strings.Cut(got[0].Message, " {"); form && ok && !json.Valid([]byte("{"+object)) {
					t.Errorf("not JSON: %s", object)
				}
			}
		})
	}
}

// TestLoggersAreIndependent checks that loggers that come from the same one do not share attributes.
func TestLoggersAreIndependent(t *testing.T) {
	t.Parallel()
	got := shipped(t, logship.Config{}, func(l *slog.Logger) {
		base := l.With("a", 1, "b", 2, "c", 3).WithGroup("g")
		one, two := base.With("x", 1).WithGroup("h"), base.With("y", 2).WithGroup("i")
		one.Info("one", "k", 1)
		two.Info("two", "k", 2)
	})
	if got[0].Message != "one a=1 b=2 c=3 g.x=1 g.h.k=1" || got[1].Message != "two a=1 b=2 c=3 g.y=2 g.i.k=2" {
		t.Errorf("%+v", got)
	}
}

// TestLevels checks the numbers of levels, and the filter.
func TestLevels(t *testing.T) {
	t.Parallel()
	want := map[slog.Level]int{
		-100: 1, slog.LevelDebug: 10, -2: 15, slog.LevelInfo: 20, 2: 25, slog.LevelWarn: 30, slog.LevelError: 40, 12: 50,
	}
	got := shipped(t, logship.Config{Level: slog.Level(-100)}, func(l *slog.Logger) {
		for level := range want {
			l.Log(t.Context(), level, fmt.Sprint(int(level)))
		}
	})
	for _, r := range got {
		var level slog.Level
		if _, err := fmt.Sscan(r.Message, (*int)(&level)); err != nil || want[level] != r.Level {
			t.Errorf("level %s is %d, want %d", r.Message, r.Level, want[level])
		}
	}
	level := new(slog.LevelVar)
	level.Set(slog.LevelError)
	got = shipped(t, logship.Config{Level: level}, func(l *slog.Logger) {
		l.Warn("no")
		level.Set(slog.LevelWarn)
		l.Warn("yes")
	})
	if len(got) != 1 || got[0].Message != "yes" {
		t.Errorf("%+v", got)
	}
	if got := shipped(t, logship.Config{}, func(l *slog.Logger) { l.Debug("no") }); got != nil {
		t.Errorf("%+v", got)
	}
}

// TestWhen checks that times grow strictly, also when those of the records do not.
func TestWhen(t *testing.T) {
	t.Parallel()
	at := time.UnixMicro(1795326769000000)
	got := shipped(t, logship.Config{Service: "pump"}, func(l *slog.Logger) {
		for _, at := range []time.Time{at, at, at.Add(-time.Hour), at.Add(time.Second), {}} {
			_ = l.Handler().Handle(t.Context(), slog.NewRecord(at, slog.LevelInfo, "m", 0))
		}
	})
	for i, want := range []int64{1795326769000000, 1795326769000001, 1795326769000002, 1795326770000000} {
		if got[i].When.UnixMicro() != want || got[i].Service != "pump" {
			t.Errorf("record %d: %+v", i, got[i])
		}
	}
	if time.Since(got[4].When) > time.Hour && got[4].When.UnixMicro() != 1795326770000001 {
		t.Errorf("a record without a time: %+v", got[4])
	}
}

// TestException checks where errors and stacks go.
func TestException(t *testing.T) {
	t.Parallel()
	boom, bang := errors.New("boom"), errors.New("bang")
	for _, tc := range []struct {
		name               string
		write              func(*slog.Logger)
		message, exception string
	}{
		{"error", func(l *slog.Logger) { l.Error("failed", "op", "x", "err", boom) }, "failed op=x", "boom"},
		{"two errors", func(l *slog.Logger) { l.Error("failed", "a", boom, "b", bang) }, "failed b=bang", "boom"},
		{"error of the logger", func(l *slog.Logger) { l.With("err", boom).Error("failed") }, "failed", "boom"},
		{"with a stack", func(l *slog.Logger) { l.Error("failed", "err", boom, "stack", "goroutine 1\nmain.go:1") }, "failed", "boom\ngoroutine 1\nmain.go:1"},
		{"a stack alone", func(l *slog.Logger) { l.Error("failed", "stack", []byte("goroutine 1")) }, "failed", "goroutine 1"},
		{"no error", func(l *slog.Logger) { l.Error("failed", "err", nil) }, "failed err=<nil>", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := shipped(t, logship.Config{}, tc.write)
			if len(got) != 1 || got[0].Message != tc.message || got[0].ExceptionText != tc.exception {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestCompression checks which messages are compressed, and that they can be read.
func TestCompression(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 900)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise)
	for _, tc := range []struct {
		name    string
		message string
		packed  bool
	}{
		{"short", strings.Repeat("x", 1000), false},
		{"short in characters", strings.Repeat("ż", 1000), false},
		{"long", strings.Repeat("x", 1001), true},
		{"long and incompressible", base64.StdEncoding.EncodeToString(noise), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := shipped(t, logship.Config{}, func(l *slog.Logger) { l.Info(tc.message) })[0]
			if !tc.packed {
				if got.Encoding != "" || got.Message != tc.message {
					t.Errorf("%+v", got)
				}
				return
			}
			packed, err := base64.StdEncoding.DecodeString(got.Message)
			if err != nil || got.Encoding != "base64-gzip" {
				t.Fatalf("%v, %+v", err, got)
			}
			z, err := gzip.NewReader(bytes.NewReader(packed))
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(z); err != nil || string(text) != tc.message || len(got.Message) >= len(tc.message) {
				t.Errorf("%v, %d characters", err, len(text))
			}
		})
	}
}

// TestSecrets checks that nothing that looks like a secret, and none that is known to be one, leaves the device.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2"
	cfg := logship.Config{Level: slog.LevelDebug, Secrets: []string{"known-0123456789"}}
	got := shipped(t, cfg, func(l *slog.Logger) {
		l.Info("login", "password", secret, "user", "me")
		l.With("api_key", secret).Info("m")
		l.WithGroup("auth").Info("m", "token", secret)
		l.Info("m", "header", "Authorization: Bearer "+secret)
		l.Info("Authorization: Bearer " + secret + " was refused")
		l.Info("password: " + secret)
		l.Info("got token=" + secret + " from me")
		l.Info("dial https://me:" + secret + "@hub.test/x failed")
		l.Info("m", "url", "https://hub.test/?token="+secret+"&x=1")
		l.Info("m", "err", fmt.Errorf("get https://hub.test/?token=%s: %w", secret, io.EOF))
		l.Info("m", "s", redact.Secret(secret))
		l.Info("the key is known-0123456789")
		l.Info("m", "x", "known-0123456789", "err", errors.New("known-0123456789"))
		l.Info("m", errkit.Attr(errors.New("password="+secret)))
		l.Info(strings.Repeat("x", 2000) + " known-0123456789")
	})
	for i, r := range got {
		text := r.Message + r.ExceptionText
		if r.Encoding != "" {
			packed, _ := base64.StdEncoding.DecodeString(r.Message)
			z, err := gzip.NewReader(bytes.NewReader(packed))
			if err != nil {
				t.Fatal(err)
			}
			plain, _ := io.ReadAll(z)
			text += string(plain)
		}
		if strings.Contains(text, secret) || strings.Contains(text, "known-0123456789") {
			t.Errorf("record %d: %s", i, text)
		}
		if !strings.Contains(text, "***") {
			t.Errorf("record %d hides nothing: %s", i, text)
		}
	}
	// What is no secret stays, beside one too.
	for i, want := range map[int]string{
		0: "login password=*** user=me", 4: "*** *** *** was refused", 6: "got *** from me",
	} {
		if got[i].Message != want {
			t.Errorf("record %d is %q, want %q", i, got[i].Message, want)
		}
	}
	for _, harmless := range []string{"pump started at 12:00:05", "a=1 b=2; c: d", "100% of 5 + 6", "read W1: timeout"} {
		if got := shipped(t, logship.Config{}, func(l *slog.Logger) { l.Info(harmless) })[0].Message; got != harmless {
			t.Errorf("%q became %q", harmless, got)
		}
	}
}

// TestReplaceAttr checks that the program can drop and change attributes.
func TestReplaceAttr(t *testing.T) {
	t.Parallel()
	got := shipped(t, logship.Config{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case a.Key == "drop":
			return slog.Attr{}
		case len(groups) == 1 && groups[0] == "g":
			return slog.String(a.Key, "inside")
		}
		return a
	}}, func(l *slog.Logger) { l.With("drop", 1).Info("m", "msg", 1, slog.Group("g", "a", 1), "drop", 2) })
	if got[0].Message != "m msg=1 g.a=inside" {
		t.Errorf("%+v", got)
	}
}

// TestLongTexts checks that no record is larger than its bounds, whatever is logged.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ż", 1<<20)
	h := new(hub)
	q := newQueue(t, h, logship.Config{})
	slog.New(q.Handler()).Info(long, "a", long, "b", long, long, 1, "err", errors.New(long))
	if got := q.Stats(); got.Bytes > 300<<10 {
		t.Errorf("%+v", got)
	}
	if err := q.Flush(t.Context()); err != nil || len(h.batches) != 1 {
		t.Fatal(err)
	}
}

// FuzzRecord checks that whatever is logged can be encoded, and that no secret gets through.
func FuzzRecord(f *testing.F) {
	f.Add("message", "key", "value", true)
	f.Add("password: x", "token", "\xff", false)
	f.Add("\x00{\"", "", "https://a:b@c/?d=e", true)
	f.Fuzz(func(t *testing.T, message, key, value string, inJSON bool) {
		const secret = "S3CR3T-S3CR3T"
		got := shipped(t, logship.Config{JSON: inJSON, Secrets: []string{secret}}, func(l *slog.Logger) {
			l.Info(message, key, value, "err", errors.New(value+secret))
		})
		if len(got) != 1 {
			t.Fatalf("%+v", got)
		}
		if _, err := api.AppendLogRecord(nil, &got[0]); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(got[0].Message+got[0].ExceptionText, secret) {
			t.Fatalf("%+v", got)
		}
	})
}
