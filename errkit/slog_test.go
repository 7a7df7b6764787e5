package errkit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// withoutTime is for logs that are compared.
var withoutTime = &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}}

func TestAttr(t *testing.T) {
	t.Parallel()
	hot := &hotError{Info: errkit.Info{
		Class: lampHot, Op: "on", Target: "kitchen", RetryAfter: time.Second, Attempts: 2, Err: errTest,
	}, Celsius: 90}
	const group = `"class":"lamp.hot","kinds":["unavailable"],"op":"on","target":"kitchen","celsius":90,"retry_after":"1s","attempts":2,"transient":true`
	for _, tc := range []struct {
		name       string
		err        error
		json, text string
	}{
		{
			"typed", hot,
			`{"level":"WARN","msg":"sync","error":{"msg":"lamp: on kitchen: too hot after 2 attempts: 90 °C: test",` + group + `}}`,
			`level=WARN msg=sync error.msg="lamp: on kitchen: too hot after 2 attempts: 90 °C: test" error.class=lamp.hot error.kinds=[unavailable] error.op=on error.target=kitchen error.celsius=90 error.retry_after=1s error.attempts=2 error.transient=true`,
		},
		{
			"wrapped", fmt.Errorf("upstairs: %w", hot),
			`{"level":"WARN","msg":"sync","error":{"msg":"upstairs: lamp: on kitchen: too hot after 2 attempts: 90 °C: test",` + group + `}}`,
			"",
		},
		{
			"unknown", errTest,
			`{"level":"WARN","msg":"sync","error":{"msg":"test","transient":false}}`,
			`level=WARN msg=sync error.msg=test error.transient=false`,
		},
		{
			"joined", errors.Join(errTest, hot),
			`{"level":"WARN","msg":"sync","error":{"msg":"test lamp: on kitchen: too hot after 2 attempts: 90 °C: test","class":"lamp.hot","kinds":["unavailable"],"retry_after":"1s","transient":false}}`,
			"",
		},
		{"nil", nil, `{"level":"WARN","msg":"sync"}`, `level=WARN msg=sync`},
		{
			"reported", errkit.NewReport(hot).Err(),
			`{"level":"WARN","msg":"sync","error":{"msg":"lamp: on kitchen: too hot after 2 attempts: 90 °C: test",` + group + `}}`,
			"",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			slog.New(slog.NewJSONHandler(&out, withoutTime)).LogAttrs(t.Context(), slog.LevelWarn, "sync", errkit.Attr(tc.err))
			if got := strings.TrimSpace(out.String()); got != tc.json {
				t.Errorf("JSON\ngot  %s\nwant %s", got, tc.json)
			}
			if tc.text == "" {
				return
			}
			out.Reset()
			slog.New(slog.NewTextHandler(&out, withoutTime)).LogAttrs(t.Context(), slog.LevelWarn, "sync", errkit.Attr(tc.err))
			if got := strings.TrimSpace(out.String()); got != tc.text {
				t.Errorf("text\ngot  %s\nwant %s", got, tc.text)
			}
		})
	}
}

func TestLogValue(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, withoutTime))
	logger.Info("x", "cause", errkit.LogValue(lampHot.Wrap("on", "", nil)), "other", errkit.LogValue(nil))
	if got, want := strings.TrimSpace(out.String()), `level=INFO msg=x cause.msg="lamp: on: too hot" cause.class=lamp.hot cause.kinds=[unavailable] cause.op=on cause.transient=true`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// askedError counts how often it is asked for its fields.
type askedError struct {
	errkit.Info
	asked int
}

func (e *askedError) Error() string { return errkit.Message(&e.Info, "") }

func (e *askedError) ErrorAttrs() []slog.Attr {
	e.asked++
	return nil
}

func TestAttrIsLazy(t *testing.T) {
	t.Parallel()
	err := &askedError{Info: errkit.Info{Class: lampHot}}
	logger := slog.New(slog.NewJSONHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	logger.LogAttrs(context.Background(), slog.LevelInfo, "x", errkit.Attr(err))
	if err.asked != 0 {
		t.Error("a record that is not written asks for the fields")
	}
	logger.LogAttrs(context.Background(), slog.LevelWarn, "x", errkit.Attr(err))
	if err.asked != 1 {
		t.Errorf("a record that is written asks %d times", err.asked)
	}
}
