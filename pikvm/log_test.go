package pikvm_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestLogRecorded checks the recorded journal.
func TestLogRecorded(t *testing.T) {
	t.Parallel()
	got, err := pikvm.ReadLog(strings.NewReader(readTestdata(t, "log_sample.txt")))
	if err != io.EOF || len(got) != 3 { //nolint:errorlint // what readers return
		t.Fatalf("%d records, %v", len(got), err)
	}
	want := pikvm.LogRecord{
		Time: time.Date(2026, 8, 22, 7, 4, 9, 0, time.UTC), Unit: "kvmd-nginx",
		Message: "2026/08/22 07:04:09 [error] 498#498: connect() to unix:/run/kvmd/ustreamer.sock failed",
		Text:    "[2026-08-22 07:04:09 kvmd-nginx.service] --- 2026/08/22 07:04:09 [error] 498#498: connect() to unix:/run/kvmd/ustreamer.sock failed",
	}
	if d := cmp.Diff(want, got[2]); d != "" {
		t.Errorf("record (-want +got):\n%s", d)
	}
}

// TestLogLines: records end with CR and LF, messages may have several lines, and nothing is too long.
func TestLogLines(t *testing.T) {
	t.Parallel()
	const head = "[2026-08-22 07:04:05 a.service] --- "
	long := strings.Repeat("x", pikvm.MaxLogRecord)
	for text, want := range map[string][]string{
		"": nil,
		head + "one\nand two\r\n" + head + "three\r\n": {"one\nand two", "three"},
		head + "a\rb\n\r\n":                            {"a\rb\n"},
		head + "no end":                                {"no end"},
		"something else\r\n":                           {"something else"},
		head + "\r\n\r\n":                              {"", ""},
		head + long + "\r\n" + head + "next\r\n":       {long[len(head):], "next"},
	} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{"": bare, ", in pieces": iotest.HalfReader, ", byte by byte": iotest.OneByteReader} {
			if name == ", byte by byte" && len(text) > 1<<20 {
				continue // pieces show the same, much faster
			}
			records, err := pikvm.ReadLog(wrap(strings.NewReader(text)))
			var got []string
			for _, r := range records {
				got = append(got, r.Message)
				if r.Cut != (len(r.Text) == pikvm.MaxLogRecord) {
					t.Errorf("cut %t with %d bytes", r.Cut, len(r.Text))
				}
			}
			if d := cmp.Diff(want, got); d != "" || err != io.EOF { //nolint:errorlint // what readers return
				t.Errorf("%.60q%s: %v (-want +got):\n%.2000s", text, name, err, d)
			}
		}
	}
}

// TestLog reads the journal of the fake: from a time on, and what comes.
func TestLog(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		time.Sleep(time.Minute)
		f.Log("kvmd", "first\nof two lines")
		read := func(opts *pikvm.LogOptions, stop int) (messages []string) {
			for r, err := range f.client.Log.Records(t.Context(), opts) {
				if err != nil {
					t.Fatal(err)
				}
				messages = append(messages, r.Message)
				if len(messages) == stop {
					break
				}
			}
			return messages
		}
		if got := read(nil, 0); len(got) != 2 || got[1] != "first\nof two lines" {
			t.Errorf("all: %q", got)
		}
		if got := read(&pikvm.LogOptions{Seek: 30 * time.Second}, 0); len(got) != 1 {
			t.Errorf("since: %q", got)
		}
		done := make(chan []string)
		go func() { done <- read(&pikvm.LogOptions{Seek: time.Second, Follow: true}, 3) }()
		time.Sleep(time.Hour) // silence is no error
		f.Log("kvmd", "second")
		time.Sleep(time.Minute)
		f.Log("kvmd", "third")
		if d := cmp.Diff([]string{"first\nof two lines", "second", "third"}, <-done); d != "" {
			t.Errorf("followed (-want +got):\n%s", d)
		}
	})
}

// TestLogEnds: every end of a journal that is not that of the caller's loop is the last pair.
func TestLogEnds(t *testing.T) {
	t.Parallel()
	follow := &pikvm.LogOptions{Follow: true}
	for _, tc := range []struct {
		name string
		opts *pikvm.LogOptions
		end  func(f *fake, cancel context.CancelFunc)
		want error
	}{
		{"canceled", follow, func(_ *fake, cancel context.CancelFunc) { cancel() }, context.Canceled},
		{"closed", follow, func(f *fake, _ context.CancelFunc) { _ = f.client.Close() }, pikvm.ErrClosed},
		{"restarted", follow, func(f *fake, _ context.CancelFunc) { f.Restart(time.Second) }, pikvm.ErrConnect},
		{"cut", follow, func(f *fake, _ context.CancelFunc) { f.network.DropAll() }, pikvm.ErrResponse},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					time.Sleep(10 * time.Second)
					tc.end(f, cancel)
				}()
				var last error
				for r, err := range f.client.Log.Records(ctx, tc.opts) {
					if last != nil || err != nil && r.Text != "" {
						t.Errorf("%+v and %v after %v", r, err, last)
					}
					last = err
				}
				if !errors.Is(last, tc.want) || !errors.Is(last, pikvm.Err) {
					t.Errorf("error is %v, want %v", last, tc.want)
				}
			})
		})
	}
	inBubble(t, &pikvmtest.Options{LogDisabled: true}, nil, func(t *testing.T, f *fake) {
		for _, err := range f.client.Log.Records(t.Context(), nil) {
			failure{Type: "APIError", Class: pikvm.ErrDisabled, Kinds: errkit.Unsupported | errkit.Invalid, Status: 400}.check(t, err)
		}
	})
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultHang})
		for _, err := range f.client.Log.Records(t.Context(), follow) {
			failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout, Limit: 10 * time.Second}.check(t, err)
		}
	})
}
