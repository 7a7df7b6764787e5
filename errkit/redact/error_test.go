package redact_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

func TestErrorText(t *testing.T) {
	t.Parallel()
	const secret = `pa/ss "wörd"+1`
	for _, tc := range []struct {
		name    string
		text    string
		secrets []string
		want    string
	}{
		{"plain", "login with " + secret + " refused", []string{secret}, "login with *** refused"},
		{"several times", secret + secret, []string{secret}, "***"},
		{"another case", "LOGIN WITH HUNTER22!", []string{"hunter22"}, "LOGIN WITH ***!"},
		{"as a query value", "x=" + url.QueryEscape(secret) + "&y", []string{secret}, "x=***&y"},
		{"as a path segment", "/" + url.PathEscape(secret) + "/", []string{secret}, "/***/"},
		{"as userinfo", url.UserPassword("u", secret).String() + "@h", []string{secret}, "u:***@h"},
		{"percent-encoded in lower case", "x=a%2fb%3dc", []string{"a/b=c"}, "x=***"},
		{"quoted", strconv.Quote(secret), []string{secret}, `"***"`},
		{"in hex", "key " + hex.EncodeToString([]byte(secret)), []string{secret}, "key ***"},
		{"two that overlap", "an abcdefgh is here", []string{"abcdef", "defgh"}, "an *** is here"},
		{"one inside another", "an abcdefgh is here", []string{"cdef", "abcdefgh"}, "an *** is here"},
		{"one that overlaps itself", "abababab!", []string{"ababab"}, "***!"},
		{"cut off", "refused: hunter2…", []string{"hunter22"}, "refused: ***…"},
		{"cut off with dots", "refused: hunter2...", []string{"hunter22"}, "refused: ***..."},
		{"short ones are words", "the key is abc", []string{"abc", ""}, "the key is abc"},
		{"the shortest", "the key is abcd", []string{"abcd"}, "the key is ***"},
		{"absent", "connection refused", []string{secret}, "connection refused"},
		{"none", "connection refused", nil, "connection refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			original := errors.New(tc.text)
			err := redact.Error(original, tc.secrets...)
			if got := err.Error(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if tc.text == tc.want && err != original {
				t.Error("an error without secrets did not come back as it was")
			}
		})
	}
}

// The password of basic authentication is hidden whatever the user's name does to its alignment.
func TestErrorBase64(t *testing.T) {
	t.Parallel()
	const secret = "correct horse battery"
	for user := range 7 {
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
			plain := strings.Repeat("u", user) + ":" + secret + "?>"
			err := redact.Error(errors.New("bad header Basic "+enc.EncodeToString([]byte(plain))), secret)
			_, shown, _ := strings.Cut(err.Error(), "Basic ")
			before, after, ok := strings.Cut(shown, "***")
			if !ok {
				t.Fatalf("user of %d bytes: not hidden: %v", user, err)
			}
			// What is left may share one character with the secret on either side.
			if len(before) > (user+1)*8/6+1 || len(after) > 8 {
				t.Errorf("user of %d bytes: too much is left: %v", user, err)
			}
		}
	}
}

func TestErrorNil(t *testing.T) {
	t.Parallel()
	if err := redact.Error(nil, "secret"); err != nil {
		t.Errorf("got %v", err)
	}
}

var (
	errBase = errkit.NewClass("redacttest", "", 0)
	errBusy = errBase.New("busy", "busy", errkit.Busy)
)

// What errors.Is, errors.As and errkit say of an error is the same after its text was redacted.
func TestErrorKeepsJudgement(t *testing.T) {
	t.Parallel()
	const secret = "S3CRET"
	secretive := func(err error) error { return fmt.Errorf("with %s: %w", secret, err) }
	for _, tc := range []struct {
		name string
		err  error
	}{
		{"unknown", errors.New(secret)},
		{"context", secretive(context.Canceled)},
		{"deadline", secretive(os.ErrDeadlineExceeded)},
		{"dial", secretive(&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)})},
		{"end", secretive(io.ErrUnexpectedEOF)},
		{"typed", errBusy.Wrap("click", "https://h/?x="+secret, nil)},
		{"typed with the time to retry", secretive(&errkit.Basic{Info: errkit.Info{Class: errBusy, RetryAfter: time.Minute}})},
		{"the time to retry below", errBase.Wrap("x", secret, &errkit.Basic{Info: errkit.Info{Class: errBusy, RetryAfter: time.Minute}})},
		{"class", secretive(errBusy)},
		{"kind", secretive(errkit.Timeout | errkit.NotSent)},
		{"joined", errors.Join(secretive(errBusy), io.EOF)},
		{"reported", secretive(errkit.NewReport(errBusy.Wrap("click", "", nil)).Err())},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, original := range []error{tc.err, fmt.Errorf("wrapped: %w", tc.err)} {
				err := redact.Error(original, secret)
				if err == original {
					t.Fatal("it was not redacted")
				}
				compareJudgement(t, err, original)
				compareJudgement(t, errBase.Wrap("op", "", err), errBase.Wrap("op", "", original))
			}
		})
	}
}

func compareJudgement(t *testing.T, err, original error) {
	t.Helper()
	if got, want := errkit.KindOf(err), errkit.KindOf(original); got != want {
		t.Errorf("KindOf is %v, want %v", got, want)
	}
	if got, want := errkit.CodeOf(err), errkit.CodeOf(original); got != want {
		t.Errorf("CodeOf is %q, want %q", got, want)
	}
	if got, want := errkit.Transient(err), errkit.Transient(original); got != want {
		t.Errorf("Transient is %v, want %v", got, want)
	}
	got, _ := errkit.RetryAfter(err)
	if want, _ := errkit.RetryAfter(original); got != want {
		t.Errorf("RetryAfter is %v, want %v", got, want)
	}
	for _, target := range []error{
		errkit.Err, errBusy, errkit.Busy, errkit.Timeout, errkit.NotSent, context.Canceled, os.ErrDeadlineExceeded,
		io.EOF, io.ErrUnexpectedEOF, syscall.ECONNREFUSED,
	} {
		if got, want := errors.Is(err, target), errors.Is(original, target); got != want {
			t.Errorf("errors.Is(err, %v) is %v, want %v", target, got, want)
		}
	}
	gotBasic, _ := errors.AsType[*errkit.Basic](err)
	wantBasic, _ := errors.AsType[*errkit.Basic](original)
	if (gotBasic == nil) != (wantBasic == nil) {
		t.Errorf("errors.AsType[*errkit.Basic] is %v, want %v", gotBasic, wantBasic)
	}
}

// valueError is printed with its content by %#v.
type valueError struct{ Text string }

func (e valueError) Error() string { return e.Text }

func TestErrorShowsNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "S3CRET"
	for _, original := range []error{
		valueError{"with S3CRET"},
		&net.OpError{Op: "dial", Err: valueError{"S3CRET"}},
		errBusy.Wrap("click", "S3CRET", valueError{"S3CRET"}),
		errors.Join(valueError{"S3CRET"}, valueError{"S3CRET"}),
		fmt.Errorf("%.3w", valueError{"S3CRET"}), // only a lower layer has it
	} {
		err := redact.Error(original, secret)
		report, jsonErr := json.Marshal(errkit.NewReport(err))
		if jsonErr != nil {
			t.Fatal(jsonErr)
		}
		for what, text := range map[string]string{
			"Error":  err.Error(),
			"%+v":    fmt.Sprintf("%+v", err),
			"%#v":    fmt.Sprintf("%#v", err),
			"Detail": errkit.Detail(err),
			"Report": string(report),
			"Attr":   errkit.Attr(err).Value.Resolve().String(),
		} {
			if strings.Contains(text, secret) {
				t.Errorf("%T: %s shows the secret: %s", original, what, text)
			}
		}
		if errors.Unwrap(err) != nil {
			t.Errorf("%T: Unwrap gives the original", original)
		}
	}
}

func FuzzError(f *testing.F) {
	f.Add("user:pass@host/", "pass", "...")
	f.Add("aaaaaaaa", "aaaa", "")
	f.Add("ünïcödé", "nïcö", "…")
	f.Fuzz(func(t *testing.T, text, secret, after string) {
		if len(secret) < 4 || strings.Contains("***", secret) {
			return
		}
		err := redact.Error(errors.New(text+secret+after+url.QueryEscape(secret)), secret)
		if strings.Contains(err.Error(), secret) && !strings.Contains(secret, "*") {
			t.Errorf("%q is in %q", secret, err)
		}
	})
}
