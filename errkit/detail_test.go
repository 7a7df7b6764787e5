package errkit_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

func TestDetail(t *testing.T) {
	t.Parallel()
	hot := &hotError{Info: errkit.Info{
		Class: lampHot, Op: "on", Target: "the kitchen", Kind: errkit.NotSent, RetryAfter: time.Second, Attempts: 2,
		Err: fmt.Errorf("asking: %w", io.EOF),
	}, Celsius: 90}
	for _, tc := range []struct {
		name string
		err  error
		want []string
	}{
		{"nil", nil, []string{""}},
		{"unknown", errTest, []string{"test", "  *errors.errorString: test"}},
		{"typed", hot, []string{
			"lamp: on the kitchen: too hot after 2 attempts: 90 °C: asking: EOF",
			`  *errkit_test.hotError class=lamp.hot kinds=unavailable|notsent op=on target="the kitchen" celsius=90 retry_after=1s attempts=2`,
			"    *fmt.wrapError: asking: EOF",
			"      *errors.errorString: EOF",
		}},
		{"joined", errors.Join(lampHot, errors.Join(errTest, errkit.Busy|errkit.Full)), []string{
			"lamp: too hot test busy|full",
			"  *errors.joinError of 2",
			"    *errkit.Class class=lamp.hot kinds=unavailable",
			"    *errors.joinError of 2",
			"      *errors.errorString: test",
			"      errkit.Kind kinds=busy|full",
		}},
		{"fields that need quotes", &fieldsError{Info: errkit.Info{Class: lampBroken}, attrs: []slog.Attr{
			slog.String("empty", ""), slog.String("a", `b"c`), slog.String("d", "e=f"), slog.String("lines", "g\nh"),
			slog.Any("list", []string{"i", "j"}), slog.Any("valuer", secretValue{}),
		}}, []string{
			"lamp: broken",
			`  *errkit_test.fieldsError class=lamp.broken empty="" a="b\"c" d="e=f" lines="g h" list=i|j valuer=hidden`,
		}},
		{"address", &url.Error{Op: "Get", URL: "https://h/?token=S3CRET", Err: io.EOF}, []string{"EOF", "  *errors.errorString: EOF"}},
		{"reported", errkit.NewReport(hot).Err(), []string{
			"lamp: on the kitchen: too hot after 2 attempts: 90 °C: asking: EOF",
			`  *errkit.Remote: lamp: on the kitchen: too hot after 2 attempts: 90 °C: asking: EOF class=lamp.hot kinds=unavailable|notsent op=on target="the kitchen" celsius=90 retry_after=1s attempts=2`,
			"    *errkit.Remote: asking: EOF",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got, want := errkit.Detail(tc.err), strings.Join(tc.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestDetailLength(t *testing.T) {
	t.Parallel()
	deep := errTest
	for range 100 {
		deep = lampHot.Wrap("on", strings.Repeat("x", 1<<16), deep)
	}
	for _, err := range []error{deep, errors.Join(make([]error, 500)...), errors.Join(append(make16(deep), make16(deep)...)...)} {
		got := errkit.Detail(err)
		if n := strings.Count(got, "\n"); n > 65 {
			t.Errorf("%d lines", n)
		}
		if len(got) > 128<<10 {
			t.Errorf("%d bytes", len(got))
		}
	}
	if got := errkit.Detail(deep); !strings.HasSuffix(got, "…") {
		t.Errorf("it does not say that something is missing: ...%s", got[len(got)-40:])
	}
}
