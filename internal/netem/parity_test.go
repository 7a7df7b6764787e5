package netem_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLikeTCP runs the same steps on a link, on two real sockets and through a proxy, and wants the same outcomes.
func TestLikeTCP(t *testing.T) {
	t.Parallel()
	past := time.Unix(1, 0)
	// failing writes until that fails: a real socket learns of the peer's answer a moment later.
	failing := func(c conn) string {
		for {
			if got := write(c, "x"); got != "ok" {
				return got
			}
			runtime.Gosched()
		}
	}
	rows := []struct {
		name  string
		steps func(a, b conn) []string
		want  []string
	}{
		{"data both ways", func(a, b conn) []string {
			return []string{write(a, "ab"), read(b), write(b, "cd"), read(a)}
		}, []string{"ok", "ab", "ok", "cd"}},

		{"close", func(a, b conn) []string {
			return []string{write(a, "ab"), outcome(a.Close()), readAll(b), read(b)}
		}, []string{"ok", "ok", "ab|EOF", "EOF"}},

		{"write to a closed peer", func(a, b conn) []string {
			return []string{outcome(a.Close()), read(b), write(b, "x"), failing(b), read(b), outcome(b.CloseWrite())}
		}, []string{"ok", "EOF", "ok", "EPIPE", "EOF", "ENOTCONN"}},

		{"close with bytes not read", func(a, b conn) []string {
			steps := []string{write(a, "ab"), write(b, "cd")}
			buf := make([]byte, 1)
			_, err := a.Read(buf) // "c"; "d" stays
			return append(steps, outcome(err), outcome(a.Close()), readAll(b))
		}, []string{"ok", "ok", "ok", "ok", "ab|ECONNRESET"}},

		{"reset", func(a, b conn) []string {
			return []string{write(a, "ab"), read(b), outcome(a.SetLinger(0)), outcome(a.Close()), read(b), outcome(b.CloseWrite()), outcome(b.Close())}
		}, []string{"ok", "ab", "ok", "ok", "ECONNRESET", "ENOTCONN", "ok"}},

		{"what came before a reset can be read", func(a, b conn) []string {
			return []string{write(a, "ab"), write(a, "cd"), outcome(a.SetLinger(0)), outcome(a.Close()), readAll(b)}
		}, []string{"ok", "ok", "ok", "ok", "abcd|ECONNRESET"}},

		{"reset, seen by a write first", func(a, b conn) []string {
			return []string{outcome(a.SetLinger(0)), outcome(a.Close()), failing(b)}
		}, []string{"ok", "ok", "ECONNRESET"}},

		{"linger taken back", func(a, b conn) []string {
			return []string{outcome(a.SetLinger(0)), outcome(a.SetLinger(-1)), outcome(a.Close()), read(b)}
		}, []string{"ok", "ok", "ok", "EOF"}},

		{"half close", func(a, b conn) []string {
			return []string{
				write(a, "ab"), outcome(a.CloseWrite()), outcome(a.CloseWrite()), write(a, "x"),
				readAll(b), write(b, "cd"), read(a), outcome(b.CloseWrite()), read(a), outcome(a.Close()), outcome(b.Close()),
			}
		}, []string{"ok", "ok", "ok", "EPIPE", "ab|EOF", "ok", "cd", "ok", "EOF", "ok", "ok"}},

		{"closed here", func(a, _ conn) []string {
			return []string{
				outcome(a.Close()), outcome(a.Close()), read(a), write(a, "x"), outcome(a.CloseWrite()),
				outcome(a.SetDeadline(past)), outcome(a.SetReadDeadline(past)), outcome(a.SetWriteDeadline(past)), outcome(a.SetLinger(0)),
			}
		}, []string{"ok", "closed", "closed", "closed", "closed", "closed", "closed", "closed", "closed"}},

		{"past deadlines", func(a, b conn) []string {
			steps := []string{write(b, "ab"), outcome(a.SetReadDeadline(past)), read(a), write(a, "cd"), read(b)}
			steps = append(steps, outcome(a.SetWriteDeadline(past)), write(a, "x"), write(a, ""))
			return append(steps, outcome(a.SetDeadline(time.Time{})), read(a), write(a, "ef"), read(b))
		}, []string{"ok", "ok", "timeout", "ok", "cd", "ok", "timeout", "timeout", "ok", "ab", "ok", "ef"}},

		{"empty reads", func(a, b conn) []string {
			empty := func() string { _, err := a.Read(nil); return outcome(err) }
			steps := []string{empty(), outcome(a.SetDeadline(past)), empty(), outcome(b.Close()), empty()}
			return append(steps, outcome(a.Close()), empty())
		}, []string{"ok", "ok", "ok", "ok", "ok", "ok", "closed"}},
	}
	for _, tc := range rows {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			t.Run("link", func(t *testing.T) {
				t.Parallel()
				_, a, b := linkPair(t, nil)
				check(t, tc.want, tc.steps(a, b))
			})
			t.Run("link backwards", func(t *testing.T) {
				t.Parallel()
				_, a, b := linkPair(t, nil)
				check(t, tc.want, tc.steps(b, a))
			})
			t.Run("sockets", func(t *testing.T) {
				t.Parallel()
				if runtime.GOOS != "linux" {
					t.Skip("the reference is TCP on Linux")
				}
				a, b := tcpPair(t)
				check(t, tc.want, tc.steps(a, b))
			})
			t.Run("proxy", func(t *testing.T) {
				t.Parallel()
				if runtime.GOOS != "linux" {
					t.Skip("the reference is TCP on Linux")
				}
				_, a, b := proxyPair(t)
				check(t, tc.want, tc.steps(a, b))
			})
		})
	}
}

// check compares outcomes.
func check[T any](t *testing.T, want, got T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
