package netem_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
)

// TestCutAfter cuts at every byte of a message, in both directions, in every mode.
func TestCutAfter(t *testing.T) {
	t.Parallel()
	const message = "0123456789"
	// What each end finds after the cut: the receiver behind the bytes that crossed, and the sender.
	ends := map[netem.CutMode]struct{ read, firstWrite, secondWrite string }{
		netem.FIN:     {"EOF", "ok", "EPIPE"},
		netem.RST:     {"ECONNRESET", "ECONNRESET", "ECONNRESET"},
		netem.Silence: {"timeout", "ok", "ok"},
		netem.Swallow: {"timeout", "ok", "ok"},
	}
	for mode, want := range ends {
		for _, dir := range []netem.Direction{netem.Up, netem.Down} {
			t.Run(fmt.Sprintf("%v %v", mode, dir), func(t *testing.T) {
				t.Parallel()
				for n := range len(message) + 1 {
					synctest.Test(t, func(t *testing.T) {
						link, sender, receiver := linkPair(t, nil)
						if dir == netem.Down {
							sender, receiver = receiver, sender
						}
						check(t, "ok", write(receiver, "earlier")) // has crossed: stays readable
						link.CutAfter(dir, int64(n), mode)
						check(t, n == 0, link.State().Cut)
						if n > 0 {
							check(t, "ok", write(sender, message))
						}
						check(t, true, link.State().Cut)
						check(t, int64(n), link.State().Count(dir).Passed)

						_ = receiver.SetReadDeadline(time.Now().Add(time.Second))
						check(t, message[:n]+"|"+want.read, readAll(receiver))
						_ = sender.SetReadDeadline(time.Now().Add(time.Second))
						check(t, "earlier|"+want.read, readAll(sender))
						for _, end := range []*netem.Conn{sender, receiver} {
							check(t, []string{want.firstWrite, want.secondWrite}, []string{write(end, "x"), write(end, "y")})
						}
						check(t, int64(n), link.State().Count(dir).Passed)
						check(t, []string{"ok", "ok"}, []string{outcome(sender.Close()), outcome(receiver.Close())})
					})
				}
			})
		}
	}
}

// TestCutUnderway cuts while reads and writes wait.
func TestCutUnderway(t *testing.T) {
	t.Parallel()
	for mode, want := range map[netem.CutMode]struct{ read, write string }{
		netem.FIN:     {"EOF", "ok"},
		netem.RST:     {"ECONNRESET", "ECONNRESET"},
		netem.Silence: {"waits", "waits"},
		netem.Swallow: {"waits", "ok"},
	} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				link, a, b := linkPair(t, &netem.Options{Window: 2})
				reading := begin(func() string { return read(a) })
				writing := begin(func() string { return write(a, "abc") })
				check(t, []string{"waits", "waits"}, []string{idle(reading), idle(writing)})
				link.Cut(mode)
				check(t, []string{want.read, want.write}, []string{idle(reading), idle(writing)})
				_ = b.SetReadDeadline(time.Now())
				_, _ = a.Close(), b.Close() // ends what still waits
			})
		})
	}
}

func TestHalfOpen(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"Silence lets the window fill": func(t *testing.T) {
			link, a, b := linkPair(t, &netem.Options{Window: 4})
			check(t, "ok", write(a, "12"))
			link.Cut(netem.Silence)
			check(t, "ok", write(a, "34"))
			_ = a.SetWriteDeadline(time.Now().Add(time.Hour))
			check(t, "timeout", write(a, "5"))
			check(t, "12", read(b)) // had crossed, and its room in the window is never known to a
			_ = b.SetReadDeadline(time.Now().Add(time.Hour))
			check(t, "timeout", read(b))
			link.Resume(netem.Both)
			check(t, "timeout", read(b))
		},
		"Swallow never blocks": func(t *testing.T) {
			link, a, b := linkPair(t, &netem.Options{Window: 4})
			link.HalfOpen()
			for range 1000 {
				check(t, "ok", write(a, "0123456789"))
			}
			check(t, netem.Count{Written: 10_000}, link.State().Up)
			_ = b.SetReadDeadline(time.Now().Add(time.Hour))
			check(t, "timeout", read(b))
		},
		"closing is not noticed": func(t *testing.T) {
			for _, mode := range []netem.CutMode{netem.Silence, netem.Swallow} {
				for _, closing := range []func(*netem.Conn) error{(*netem.Conn).Close, (*netem.Conn).Reset, (*netem.Conn).CloseWrite} {
					link, a, b := linkPair(t, nil)
					link.Cut(mode)
					check(t, "ok", outcome(closing(a)))
					_ = b.SetDeadline(time.Now().Add(time.Hour))
					check(t, "timeout", read(b))
				}
			}
		},
		"and may end with a reset": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.Cut(netem.Silence)
			check(t, "ok", write(a, "lost"))
			time.Sleep(time.Hour)
			link.Cut(netem.RST)
			check(t, []string{"ECONNRESET", "ECONNRESET"}, []string{read(a), read(b)})
			check(t, netem.State{Up: netem.Count{Written: 4}, Cut: true, Mode: netem.RST}, link.State())
		},
	})
}

func TestCutAfterCounts(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"from when it is set": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			check(t, "ok", write(a, "before"))
			link.CutAfter(netem.Up, 2, netem.FIN)
			check(t, "ok", write(a, "after"))
			check(t, "beforeaf|EOF", readAll(b))
		},
		"what is read, written in pieces": func(t *testing.T) {
			link, a, b := linkPair(t, &netem.Options{Window: 1})
			link.CutAfter(netem.Up, 3, netem.RST)
			writing := begin(func() string { return write(a, "abcdef") })
			check(t, "abc|ECONNRESET", readAll(b))
			check(t, "ECONNRESET", idle(writing))
		},
		"what has crossed, not what waits": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.Stall(netem.Up)
			check(t, "ok", write(a, "abcdef"))
			link.CutAfter(netem.Up, 3, netem.FIN)
			check(t, false, link.State().Cut)
			link.Resume(netem.Up)
			check(t, "abc|EOF", readAll(b))
		},
		"what crosses later": func(t *testing.T) {
			link, a, b := linkPair(t, &netem.Options{Latency: time.Second})
			link.CutAfter(netem.Up, 3, netem.FIN)
			check(t, "ok", write(a, "abcdef"))
			start := time.Now()
			check(t, "EOF", read(a))
			check(t, time.Second, time.Since(start))
			check(t, "abc|EOF", readAll(b))
		},
		"anew when it is replaced": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.CutAfter(netem.Up, 3, netem.RST)
			check(t, "ok", write(a, "ab"))
			link.CutAfter(netem.Up, 3, netem.FIN)
			check(t, "ok", write(a, "cdef"))
			check(t, "abcde|EOF", readAll(b))
		},
		"not at all when it is taken back": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.CutAfter(netem.Both, 3, netem.RST)
			link.CutAfter(netem.Both, -1, netem.RST)
			check(t, "ok", write(a, "abcdef"))
			check(t, "abcdef", read(b))
		},
		"in both directions, each for itself": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.CutAfter(netem.Both, 3, netem.FIN)
			check(t, []string{"ok", "ok"}, []string{write(a, "ab"), write(b, "cd")})
			check(t, false, link.State().Cut)
			check(t, "ok", write(b, "ef"))
			check(t, []string{"ab|EOF", "cde|EOF"}, []string{readAll(b), readAll(a)})
		},
		"after a half close as well": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.CutAfter(netem.Up, 3, netem.RST)
			check(t, "ok", outcome(b.CloseWrite()))
			check(t, "EOF", read(a))
			check(t, "ok", write(a, "abcdef"))
			check(t, "abc|ECONNRESET", readAll(b))
			check(t, []string{"EOF", "EPIPE"}, []string{read(a), write(a, "x")}) // TCP: the end came before the reset
		},
	})
}
