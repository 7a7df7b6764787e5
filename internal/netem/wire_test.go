package netem_test

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
)

// inBubbles runs each row under a fake clock.
func inBubbles(t *testing.T, rows map[string]func(t *testing.T)) {
	t.Helper()
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, row)
		})
	}
}

// idle returns once every other goroutine of the bubble waits, and reports whether the read or write has ended.
func idle(done <-chan string) string {
	synctest.Wait()
	select {
	case got := <-done:
		return got
	default:
		return "waits"
	}
}

// begin runs an operation beside the test.
func begin(op func() string) <-chan string {
	done := make(chan string, 1)
	go func() { done <- op() }()
	return done
}

func TestStall(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"one direction only": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.Stall(netem.Up)
			got := begin(func() string { return read(b) })
			check(t, "ok", write(a, "held"))
			check(t, "waits", idle(got))
			check(t, netem.Count{Written: 4}, link.State().Up)
			check(t, "ok", write(b, "free"))
			check(t, "free", read(a))
			link.Resume(netem.Up)
			check(t, "held", idle(got))
			check(t, netem.Count{Written: 4, Passed: 4, Read: 4}, link.State().Up)
		},
		"what has crossed can be read": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			check(t, "ok", write(a, "before"))
			link.Stall(netem.Both)
			check(t, "ok", write(a, "after"))
			check(t, "before", read(b))
			link.Resume(netem.Both)
			check(t, "after", read(b))
		},
		"holds the end of the stream": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.Stall(netem.Up)
			check(t, "ok", write(a, "x"))
			check(t, "ok", outcome(a.Close()))
			got := begin(func() string { return readAll(b) })
			check(t, "waits", idle(got))
			link.Resume(netem.Up)
			check(t, "x|EOF", idle(got))
		},
		"holds a reset, which replaces what was on the wire": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			check(t, "ok", write(a, "x"))
			link.Stall(netem.Up)
			check(t, "ok", write(a, "y"))
			check(t, "ok", outcome(a.Reset()))
			got := begin(func() string { return readAll(b) })
			check(t, "waits", idle(got))
			check(t, "ok", write(b, "into the void"))
			link.Resume(netem.Up)
			check(t, "x|ECONNRESET", idle(got))
			check(t, "ECONNRESET", write(b, "z"))
		},
		"fills the window": func(t *testing.T) {
			link, a, b := linkPair(t, &netem.Options{Window: 10})
			link.Stall(netem.Up)
			got := begin(func() string { return write(a, "0123456789ab") })
			check(t, "waits", idle(got))
			check(t, netem.Count{Written: 10}, link.State().Up)
			link.Resume(netem.Up)
			check(t, "waits", idle(got)) // the window counts until bytes are read
			check(t, "0123456789", read(b))
			check(t, "ok", idle(got))
			check(t, "ab", read(b))
		},
	})
}

func TestWindow(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"each direction has its own": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.Window(netem.Up, 1)
			link.Window(netem.Down, 3)
			up := begin(func() string { return write(a, "uvw") })
			down := begin(func() string { return write(b, "xyz") })
			check(t, "waits", idle(up))
			check(t, "ok", idle(down))
			check(t, []string{"u", "v", "w", "xyz"}, []string{read(b), read(b), read(b), read(a)})
			check(t, "ok", idle(up))
		},
		"default": func(t *testing.T) {
			link, a, _ := linkPair(t, nil)
			link.Window(netem.Up, 5)
			link.Window(netem.Up, 0)
			_ = a.SetWriteDeadline(time.Now().Add(time.Second))
			n, err := a.Write(make([]byte, 2*netem.DefaultWindow))
			check(t, netem.DefaultWindow, n)
			check(t, "timeout", outcome(err))
		},
		"larger lets a write go on": func(t *testing.T) {
			link, a, _ := linkPair(t, &netem.Options{Window: 2})
			got := begin(func() string { return write(a, "abc") })
			check(t, "waits", idle(got))
			link.Window(netem.Up, 3)
			check(t, "ok", idle(got))
		},
		"smaller keeps what is there": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			check(t, "ok", write(a, "abcd"))
			link.Window(netem.Up, 2)
			got := begin(func() string { return write(a, "ef") })
			check(t, "waits", idle(got))
			check(t, "abcd", read(b))
			check(t, "ok", idle(got))
			check(t, "ef", read(b))
		},
		"writers that wait do not hold the clock": func(t *testing.T) {
			_, a, b := linkPair(t, &netem.Options{Window: 1})
			var writers sync.WaitGroup
			for range 3 {
				writers.Go(func() { _ = write(a, "xx") })
			}
			time.Sleep(time.Hour)
			_ = a.SetWriteDeadline(time.Now().Add(time.Minute)) // reaches those behind the first as well
			start := time.Now()
			writers.Wait()
			check(t, time.Minute, time.Since(start))
			check(t, "x", read(b))
		},
	})
}

func TestLatency(t *testing.T) {
	t.Parallel()
	const lag = 30 * time.Millisecond
	inBubbles(t, map[string]func(t *testing.T){
		"dial takes both ways": func(t *testing.T) {
			start := time.Now()
			linkPair(t, &netem.Options{Latency: lag})
			check(t, 2*lag, time.Since(start))
		},
		"one way": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.Latency(netem.Down, lag)
			start := time.Now()
			check(t, "ok", write(b, "x"))
			check(t, "x", read(a))
			check(t, lag, time.Since(start))
			check(t, "ok", write(a, "y"))
			check(t, "y", read(b))
			check(t, lag, time.Since(start))
		},
		"many are on the wire at once": func(t *testing.T) {
			_, a, b := linkPair(t, &netem.Options{Latency: lag})
			start := time.Now()
			go func() {
				for range 5 {
					_ = write(a, "x")
					time.Sleep(lag / 3)
				}
			}()
			for i := range 5 {
				check(t, "x", read(b))
				check(t, lag+time.Duration(i)*lag/3, time.Since(start))
			}
		},
		"order is kept when it falls": func(t *testing.T) {
			link, a, b := linkPair(t, &netem.Options{Latency: lag})
			start := time.Now()
			check(t, "ok", write(a, "first "))
			link.Latency(netem.Up, 0)
			check(t, "ok", write(a, "second"))
			check(t, "first second", read(b))
			check(t, lag, time.Since(start))
		},
		"it delays the end of the stream": func(t *testing.T) {
			_, a, b := linkPair(t, &netem.Options{Latency: lag})
			start := time.Now()
			check(t, "ok", write(a, "x"))
			check(t, "ok", outcome(a.Close()))
			check(t, "x|EOF", readAll(b))
			check(t, lag, time.Since(start))
		},
		"it delays a reset": func(t *testing.T) {
			_, a, b := linkPair(t, &netem.Options{Latency: lag})
			check(t, "ok", write(a, "lost"))
			time.Sleep(lag / 2)
			start := time.Now()
			check(t, "ok", outcome(a.Reset()))
			check(t, "ok", write(b, "x"))
			check(t, "ECONNRESET", read(b))
			check(t, lag, time.Since(start))
		},
		"the answer of a closed end takes a round trip": func(t *testing.T) {
			_, a, b := linkPair(t, &netem.Options{Latency: lag})
			check(t, "ok", outcome(a.Close()))
			check(t, "EOF", read(b))
			check(t, "ok", write(b, "1"))
			time.Sleep(2*lag - time.Nanosecond)
			check(t, "ok", write(b, "2"))
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			check(t, "EPIPE", write(b, "3"))
		},
		"a stall comes on top": func(t *testing.T) {
			link, a, b := linkPair(t, &netem.Options{Latency: lag})
			check(t, "ok", write(a, "x"))
			link.Stall(netem.Up)
			time.Sleep(time.Minute)
			start := time.Now()
			link.Resume(netem.Up)
			check(t, "x", read(b))
			check(t, time.Duration(0), time.Since(start))
		},
		"a cut loses what is on the wire": func(t *testing.T) {
			link, a, b := linkPair(t, &netem.Options{Latency: lag})
			check(t, "ok", write(a, "x"))
			time.Sleep(lag - time.Nanosecond)
			link.Cut(netem.FIN)
			check(t, "EOF", read(b))
			time.Sleep(lag)
			check(t, "EOF", read(b))
		},
	})
}

func TestBandwidth(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"a large message arrives steadily": func(t *testing.T) {
			const size, rate = 10 << 20, 100 << 10
			link, a, b := linkPair(t, nil)
			link.Bandwidth(netem.Up, rate)
			start := time.Now()
			go func() { _, _ = a.Write(make([]byte, size)) }()
			buf := make([]byte, 64<<10)
			var longest time.Duration
			for got := 0; got < size; {
				before := time.Now()
				n, err := b.Read(buf)
				if err != nil {
					t.Fatal(err)
				}
				got += n
				longest = max(longest, time.Since(before))
			}
			// The sum of many rounded portions: a millisecond is enough for all of them.
			want := time.Duration(size) * time.Second / rate
			if took := time.Since(start); (took - want).Abs() > time.Millisecond {
				t.Errorf("took %v, want %v", took, want)
			}
			if longest > 10*time.Millisecond {
				t.Errorf("the longest pause was %v, want 10ms", longest)
			}
		},
		"one byte a second": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.Bandwidth(netem.Both, 1)
			start := time.Now()
			check(t, "ok", write(a, "abc"))
			for i, want := range []string{"a", "b", "c"} {
				check(t, want, read(b))
				check(t, time.Duration(i+1)*time.Second, time.Since(start))
			}
		},
		"comes before the latency": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.Bandwidth(netem.Up, 1)
			link.Latency(netem.Up, time.Minute)
			start := time.Now()
			check(t, "ok", write(a, "ab"))
			check(t, "a", read(b))
			check(t, time.Minute+time.Second, time.Since(start))
			check(t, "b", read(b))
			check(t, time.Minute+2*time.Second, time.Since(start))
		},
		"no limit again": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			link.Bandwidth(netem.Up, 1)
			link.Bandwidth(netem.Up, -1)
			start := time.Now()
			check(t, "ok", write(a, "ab"))
			check(t, "ab", read(b))
			check(t, time.Duration(0), time.Since(start))
		},
	})
}

func TestChunk(t *testing.T) {
	t.Parallel()
	link, a, b := linkPair(t, nil)
	link.Chunk(netem.Up, 2)
	check(t, "ok", write(a, "abcde"))
	check(t, []string{"ab", "cd", "e"}, []string{read(b), read(b), read(b)})
	check(t, "ok", write(b, "abcde"))
	check(t, "abcde", read(a))
	link.Chunk(netem.Up, 0)
	check(t, "ok", write(a, "fgh"))
	check(t, "fgh", read(b))
}

func TestWait(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){
		"until bytes were read": func(t *testing.T) {
			link, a, b := linkPair(t, &netem.Options{Latency: time.Second})
			go func() {
				_ = write(a, "ab")
				_, _ = io.ReadFull(b, make([]byte, 2))
			}()
			start := time.Now()
			if err := link.Wait(t.Context(), func(s netem.State) bool { return s.Count(netem.Both).Read == 2 }); err != nil {
				t.Fatal(err)
			}
			check(t, time.Second, time.Since(start))
		},
		"until closed": func(t *testing.T) {
			link, a, b := linkPair(t, nil)
			go func() {
				_ = a.Close()
				time.Sleep(time.Second)
				_ = b.Close()
			}()
			if err := link.Wait(t.Context(), netem.State.Closed); err != nil {
				t.Fatal(err)
			}
		},
		"until cut": func(t *testing.T) {
			link, a, _ := linkPair(t, nil)
			link.CutAfter(netem.Up, 2, netem.Silence)
			go func() { _ = write(a, "abc") }()
			if err := link.Wait(t.Context(), func(s netem.State) bool { return s.Cut && s.Mode == netem.Silence }); err != nil {
				t.Fatal(err)
			}
		},
		"until the context ends": func(t *testing.T) {
			link, _, _ := linkPair(t, nil)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := link.Wait(ctx, netem.State.Closed)
			check(t, context.DeadlineExceeded.Error(), err.Error())
		},
	})
}

// TestRandomTraffic compares a link under changing knobs with a plain buffer.
func TestRandomTraffic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		link, a, b := linkPair(t, nil)
		var sent, got bytes.Buffer
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range 2000 {
				p := bytes.Repeat([]byte{byte(i)}, i%97)
				sent.Write(p)
				if _, err := a.Write(p); err != nil {
					t.Error(err)
				}
			}
			_ = a.Close()
		})
		wg.Go(func() {
			if _, err := io.Copy(&got, b); err != nil {
				t.Error(err)
			}
		})
		for i := range 500 {
			d := time.Duration(i%7) * time.Millisecond
			switch i % 5 {
			case 0:
				link.Latency(netem.Both, d)
			case 1:
				link.Stall(netem.Up)
			case 2:
				link.Window(netem.Up, 1+i*13%300)
			case 3:
				link.Bandwidth(netem.Up, int64(i%3)*100_000)
			case 4:
				link.Chunk(netem.Up, i%11)
			}
			time.Sleep(d)
			link.Resume(netem.Both)
		}
		wg.Wait()
		if !bytes.Equal(sent.Bytes(), got.Bytes()) {
			t.Errorf("sent %d bytes, got %d others", sent.Len(), got.Len())
		}
		want := int64(sent.Len())
		check(t, netem.Count{Written: want, Passed: want, Read: want}, link.State().Up)
	})
}
