package errkit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

func TestFromContext(t *testing.T) {
	t.Parallel()
	because := fmt.Errorf("shutting down: %w", io.EOF)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	withCause, cancelCause := context.WithCancelCause(t.Context())
	cancelCause(because)
	expired, stop := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer stop()
	expiredCause, stop := context.WithDeadlineCause(t.Context(), time.Unix(0, 0), because)
	defer stop()
	for _, tc := range []struct {
		name string
		ctx  context.Context
		text string
		kind errkit.Kind
		is   []error
		not  []error
	}{
		{
			"canceled", canceled, "context canceled", errkit.Canceled,
			[]error{context.Canceled, errkit.Canceled},
			[]error{context.DeadlineExceeded, errkit.Timeout, because},
		},
		{
			"canceled with a cause", withCause, "context canceled: shutting down: EOF", errkit.Canceled,
			[]error{context.Canceled, errkit.Canceled, because, io.EOF},
			[]error{context.DeadlineExceeded, os.ErrDeadlineExceeded, errkit.Disconnected},
		},
		{
			"expired", expired, "context deadline exceeded", errkit.Timeout,
			[]error{context.DeadlineExceeded, errkit.Timeout, os.ErrDeadlineExceeded},
			[]error{context.Canceled, errkit.Canceled},
		},
		{
			"expired with a cause", expiredCause, "context deadline exceeded: shutting down: EOF", errkit.Timeout,
			[]error{context.DeadlineExceeded, errkit.Timeout, because},
			[]error{context.Canceled},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := errkit.FromContext(tc.ctx)
			if got := err.Error(); got != tc.text {
				t.Errorf("text %q, want %q", got, tc.text)
			}
			if got := errkit.KindOf(err); got != tc.kind {
				t.Errorf("KindOf is %v, want %v", got, tc.kind)
			}
			for _, target := range tc.is {
				if !errors.Is(err, target) {
					t.Errorf("it does not match %v", target)
				}
			}
			for _, target := range tc.not {
				if errors.Is(err, target) {
					t.Errorf("it matches %v", target)
				}
			}
			if wrapped := lampErr.Wrap("on", "", err); errkit.KindOf(wrapped) != tc.kind {
				t.Errorf("as a cause it gives %v", errkit.KindOf(wrapped))
			}
		})
	}
	if err := errkit.FromContext(t.Context()); err != nil {
		t.Errorf("a context that is not done gives %v", err)
	}
}

// A context need not be of package context.
type ownContext struct{ context.Context }

func (ownContext) Err() error { return uncomparable{"over"} }

func TestFromOwnContext(t *testing.T) {
	t.Parallel()
	err := errkit.FromContext(ownContext{t.Context()})
	if err == nil || !strings.Contains(err.Error(), "over") || errkit.KindOf(err) != errkit.Canceled {
		t.Errorf("got %v", err)
	}
}

var badAddress = "https://h:S3CRET/" // the port is no number

func TestCleanCause(t *testing.T) {
	t.Parallel()
	request := &url.Error{Op: "Get", URL: "https://h/?token=S3CRET", Err: io.EOF}
	twice := &url.Error{Op: "Get", URL: "https://h/?token=S3CRET", Err: fmt.Errorf("proxy: %w", request)}
	typed := &hotError{Info: errkit.Info{Class: lampHot, Err: request}}
	plain := fmt.Errorf("plain: %w", io.EOF)
	_, parse := url.Parse(badAddress)
	deep := error(request)
	for range 50 {
		deep = errors.Join(errTest, deep)
	}
	for _, tc := range []struct {
		name string
		err  error
		want error
		text string
	}{
		{"nil", nil, nil, ""},
		{"plain", plain, plain, "plain: EOF"},
		{"request", request, io.EOF, "EOF"},
		{"request without a cause", &url.Error{Op: "Get", URL: "S3CRET"}, errkit.Kind(0), "unknown"},
		{"wrapped request", fmt.Errorf("sending S3CRET: %w", request), io.EOF, "EOF"},
		{"request in a request", twice, io.EOF, "EOF"},
		{"parse", parse, errkit.Invalid, "invalid"},
		{"parse in a request", &url.Error{Op: "Get", URL: "S3CRET", Err: parse}, errkit.Invalid, "invalid"},
		{"wrapped parse", fmt.Errorf("x: %w", parse), errkit.Invalid, "invalid"},
		{"typed", typed, typed, ""},
		{"wrapped typed", fmt.Errorf("x: %w", typed), typed, ""},
		{"joined", errors.Join(errTest, request, nil), io.EOF, "test\nEOF"},
		{"joined in a request", &url.Error{URL: "S3CRET", Err: errors.Join(request, parse)}, io.EOF, "EOF\ninvalid"},
		{"two causes", fmt.Errorf("S3CRET %w, %w", request, errTest), errTest, "EOF\ntest"},
		{"joined 50 times", deep, errTest, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := errkit.CleanCause(tc.err)
			if tc.want == nil {
				if got != nil {
					t.Errorf("got %v", got)
				}
				return
			}
			if !errors.Is(got, tc.want) {
				t.Errorf("%v lost %v", got, tc.want)
			}
			if tc.text != "" && got.Error() != tc.text {
				t.Errorf("text %q, want %q", got, tc.text)
			}
			if strings.Contains(got.Error(), "S3CRET") {
				t.Errorf("text %q", got)
			}
		})
	}
	for _, err := range []error{plain, errors.Join(plain, uncomparable{"x"}), typed, errRefused} {
		if got := errkit.CleanCause(err); fmt.Sprintf("%p", got) != fmt.Sprintf("%p", err) {
			t.Errorf("%v did not come back as it was", err)
		}
	}
	if err := errkit.CleanCause(&url.Error{Op: "Get", URL: "x", Err: &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}}); errkit.Classify(err) != refused|errkit.Timeout {
		t.Errorf("a request that cannot be sent is %v", errkit.Classify(err))
	}
}
