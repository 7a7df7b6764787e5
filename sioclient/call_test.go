package sioclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// answer is what a call returned.
type answer struct {
	args packet.Args
	err  error
}

func call(ctx context.Context, c sioclient.Caller, name string, args ...any) <-chan answer {
	result := make(chan answer, 1)
	go func() {
		a, err := c.Call(ctx, name, args...)
		result <- answer{a, err}
	}()
	return result
}

func TestCallReturnsAllArguments(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		result := call(context.Background(), s, "q", "x")
		srv.want(`420["q","x"]`) // id 0 is an id
		srv.send(`430["a",{"n":9007199254740993},null]`)
		a := <-result
		if a.err != nil || string(a.args.JSON()) != `["a",{"n":9007199254740993},null]` {
			t.Errorf("answer %s, %v", a.args.JSON(), a.err)
		}
		result = call(context.Background(), s, "q", []byte{1})
		srv.want(`451-1["q",{"_placeholder":true,"num":0}]`, "bAQ==")
		srv.send(`461-1[{"_placeholder":true,"num":0}]`, "bAgM=")
		a = <-result
		if b, ok := a.args.Bytes(0); !ok || !cmp.Equal(b, []byte{2, 3}) {
			t.Errorf("answer %v, %v, want bytes 2, 3", b, a.err)
		}
		result = call(context.Background(), s, "q")
		srv.want(`422["q"]`)
		srv.send(`432[]`)
		if a = <-result; a.err != nil || a.args.Len() != 0 {
			t.Errorf("answer %s, %v, want no arguments", a.args.JSON(), a.err)
		}
	})
}

func TestCall1DecodesTheFirstArgument(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		go func() {
			srv.want(`420["n"]`)
			srv.send(`430[7,8]`)
			srv.want(`421["n"]`)
			srv.send(`431["no number"]`)
			srv.want(`422["n"]`)
			srv.send(`432[]`)
		}()
		if n, err := sioclient.Call1[int](context.Background(), s, "n"); n != 7 || err != nil {
			t.Errorf("Call1 = %d, %v", n, err)
		}
		_, err := sioclient.Call1[int](context.Background(), s, "n")
		var de *sioclient.DecodeError
		if !errors.As(err, &de) || de.Event != "n" || de.Index != 0 {
			t.Errorf("Call1 = %v, want a DecodeError", err)
		}
		if n, err := sioclient.Call1[int](context.Background(), s, "n"); n != 0 || err != nil {
			t.Errorf("Call1 = %d, %v, want the zero value", n, err)
		}
	})
}

func TestUnexpectedAcksAreIgnored(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		result := call(context.Background(), s, "q")
		srv.want(`420["q"]`)
		srv.send(`43["no id"]`, `437["unknown"]`, `4318446744073709551615[]`, `430["first"]`, `430["second"]`)
		if a := <-result; a.err != nil || string(a.args.JSON()) != `["first"]` {
			t.Errorf("answer %s, %v", a.args.JSON(), a.err)
		}
		synctest.Wait()
		if !s.Connected() {
			t.Error("an ack that nobody waits for ended the connection")
		}
	})
}

func TestCallTimesOut(t *testing.T) {
	for _, tc := range []struct {
		name  string
		opts  sioclient.SocketOptions
		ctx   time.Duration // 0: no deadline
		limit time.Duration // of Timeout
		after time.Duration
		want  time.Duration // in the error
	}{
		{"by default", sioclient.SocketOptions{}, 0, 0, time.Minute, time.Minute},
		{"by AckTimeout", sioclient.SocketOptions{AckTimeout: 3 * time.Second}, 0, 0, 3 * time.Second, 3 * time.Second},
		{"by Timeout", sioclient.SocketOptions{}, 0, 2 * time.Second, 2 * time.Second, 2 * time.Second},
		{"by the deadline, which wins over defaults", sioclient.SocketOptions{AckTimeout: time.Second}, 90 * time.Second, 0, 90 * time.Second, 0},
		{"by the earlier of both", sioclient.SocketOptions{}, 90 * time.Second, 2 * time.Second, 2 * time.Second, 2 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s := w.socket(w.manager(nil), "/", &tc.opts)
				srv := w.open(s)
				ctx := context.Background()
				if tc.ctx > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tc.ctx)
					defer cancel()
				}
				start := time.Now()
				_, err := s.Timeout(tc.limit).Call(ctx, "q")
				var te *sioclient.TimeoutError
				if !errors.As(err, &te) || te.Event != "q" || te.Limit != tc.want || !te.Timeout() || !errors.Is(err, errkit.Timeout) {
					t.Errorf("Call = %#v, want a TimeoutError of %v", err, tc.want)
				}
				if (tc.want == 0) != errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Call = %v: does it match context.DeadlineExceeded?", err)
				}
				if took := time.Since(start); took != tc.after {
					t.Errorf("it took %v, want %v", took, tc.after)
				}
				srv.want(`420["q"]`)
				srv.send(`430["late"]`) // is ignored
				synctest.Wait()
				if !s.Connected() {
					t.Error("a late ack ended the connection")
				}
			})
		})
	}
}

func TestCallEndsWithItsContext(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		ctx, cancel := context.WithCancel(context.Background())
		result := call(ctx, s, "q")
		srv.want(`420["q"]`)
		cancel()
		if a := <-result; !errors.Is(a.err, context.Canceled) || !errors.Is(a.err, sioclient.Err) || errors.Is(a.err, errkit.NotSent) {
			t.Errorf("Call = %v, want context.Canceled", a.err)
		}
		_, err := s.Call(ctx, "q")
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("Call = %v, want context.Canceled, not sent", err)
		}
		srv.quiet()
	})
}

func TestCallThatTimesOutBeforeItIsSentIsNotSent(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s := w.socket(w.manager(nil), "/", nil)
		_, err := s.Timeout(time.Second).Call(context.Background(), "stale")
		if !errors.Is(err, sioclient.ErrTimeout) {
			t.Errorf("Call = %v", err)
		}
		if err := s.Emit("fresh"); err != nil {
			t.Fatal(err)
		}
		srv := w.open(s)
		srv.want(`42["fresh"]`)
		srv.quiet()
	})
}

func TestEveryPendingCallEnds(t *testing.T) {
	for _, tc := range []struct {
		name   string
		end    func(w *world, s *sioclient.Socket, srv *session)
		class  error
		reason sioclient.Reason
	}{
		{"transport cut", func(_ *world, _ *sioclient.Socket, srv *session) { srv.Cut() }, sioclient.ErrDisconnected, sioclient.TransportClose},
		{"transport reset", func(w *world, _ *sioclient.Socket, _ *session) { w.network.Links()[0].Cut(netem.RST) }, sioclient.ErrDisconnected, sioclient.TransportError},
		{"close packet", func(_ *world, _ *sioclient.Socket, srv *session) { srv.send("1") }, sioclient.ErrDisconnected, sioclient.TransportClose},
		{"server DISCONNECT", func(_ *world, _ *sioclient.Socket, srv *session) { srv.send("41") }, sioclient.ErrDisconnected, sioclient.IOServerDisconnect},
		{"parse error", func(_ *world, _ *sioclient.Socket, srv *session) { srv.send("4garbage") }, sioclient.ErrDisconnected, sioclient.ParseError},
		{"Disconnect", func(_ *world, s *sioclient.Socket, _ *session) { _ = s.Disconnect() }, sioclient.ErrDisconnected, sioclient.IOClientDisconnect},
		{"Close", func(_ *world, s *sioclient.Socket, _ *session) { _ = s.Manager().Close() }, nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, w *world) {
				s, srv := w.connected(nil)
				results := []<-chan answer{call(context.Background(), s, "a"), call(context.Background(), s, "b")}
				srv.receive()
				srv.receive()
				start := time.Now()
				tc.end(w, s, srv)
				for _, r := range results {
					a := <-r
					if tc.class != nil && !errors.Is(a.err, tc.class) || a.err == nil || !errors.Is(a.err, sioclient.Err) {
						t.Errorf("Call = %v, want %v", a.err, tc.class)
					}
					var de *sioclient.DisconnectedError
					if errors.As(a.err, &de) && tc.reason != "" && de.Reason != tc.reason {
						t.Errorf("reason %q, want %q", de.Reason, tc.reason)
					}
					if errors.Is(a.err, errkit.NotSent) {
						t.Errorf("Call = %v says for certain that nothing was sent", a.err)
					}
				}
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestCallsThatWereNotSentSurviveAnOutage(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		sent := call(context.Background(), s, "sent")
		srv.want(`420["sent"]`)
		srv.Cut()
		if a := <-sent; !errors.Is(a.err, sioclient.ErrDisconnected) {
			t.Errorf("Call = %v", a.err)
		}
		kept := call(context.Background(), s, "kept")
		srv = w.accept()
		srv.want("40")
		srv.send(`40{"sid":"b"}`)
		srv.want(`421["kept"]`)
		srv.send(`431["ok"]`)
		if a := <-kept; a.err != nil {
			t.Errorf("Call = %v", a.err)
		}
	})
}

func TestCallsThatWaitBehindAFullTransportSurviveItsEnd(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		opts := &sioclient.Options{}
		opts.Engine.Queue.Messages = 1
		s, _ := w.connected(opts)
		w.network.Links()[0].Stall(netem.Up)
		if err := s.Emit("big", strings.Repeat("x", 200_000)); err != nil { // more than the network takes
			t.Fatal(err)
		}
		synctest.Wait()
		kept := call(context.Background(), s, "kept")
		synctest.Wait()
		w.network.Links()[0].Cut(netem.RST)
		srv := w.accept()
		srv.want("40")
		srv.send(`40{"sid":"b"}`)
		srv.want(`420["kept"]`)
		srv.send(`430["ok"]`)
		if a := <-kept; a.err != nil {
			t.Errorf("Call = %v", a.err)
		}
	})
}

func TestAcksForAConnectionThatEndedAreForgotten(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		opts := &sioclient.Options{}
		opts.Engine.Queue.Messages = 1
		s, srv := w.connected(opts)
		s.On("q", func(e *sioclient.Event) error { return e.Ack() })
		w.network.Links()[0].Stall(netem.Up)
		if err := s.Emit("big", strings.Repeat("x", 200_000)); err != nil {
			t.Fatal(err)
		}
		srv.send(`427["q"]`) // its answer has to wait
		synctest.Wait()
		w.network.Links()[0].Cut(netem.RST)
		srv = w.accept()
		srv.want("40")
		srv.send(`40{"sid":"b"}`)
		srv.quiet()
	})
}

func TestCallInsideAHandler(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		opts := &sioclient.Options{Socket: sioclient.SocketOptions{QueueMessages: 2}}
		s, srv := w.connected(opts)
		var l log
		sioclient.On0(s, "ask", func() {
			if _, err := s.Call(context.Background(), "question"); err != nil {
				t.Error(err)
			}
			l.add("asked")
		})
		sioclient.On1(s, "n", func(n int) { l.add("n") })
		// The answer comes behind more events than the queue takes.
		srv.send(`42["ask"]`)
		srv.want(`420["question"]`)
		srv.send(`42["n",1]`, `42["n",2]`, `42["n",3]`, `42["n",4]`, `430[]`)
		l.want(t, "asked", "n", "n", "n", "n")
	})
}

func TestAckIDsUpToTheLargest(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		s.On("q", func(e *sioclient.Event) error { return e.Ack("ok", []byte{1}) })
		for _, id := range []string{"0", "7", "9007199254740993", "18446744073709551615"} {
			srv.send(`42` + id + `["q"]`)
			srv.want(`461-`+id+`["ok",{"_placeholder":true,"num":0}]`, "bAQ==")
		}
		srv.send(`4218446744073709551616["q"]`)
		<-srv.Done() // what does not fit is no packet
	})
}

func TestReplies(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		bad := errors.New("bad")
		var errs []error
		s.OnError(func(err error) { errs = append(errs, err) })
		sioclient.Reply0(s, "zero", func() (string, error) { return "none", nil })
		sioclient.Reply1(s, "one", func(a int) (int, error) { return a * 2, nil })
		sioclient.Reply2(s, "two", func(a int, b string) (string, error) { return b, nil })
		sioclient.Reply3(s, "three", func(a, b, c int) (int, error) { return a + b + c, nil })
		sioclient.Reply1(s, "fails", func(int) (int, error) { return 0, bad })
		srv.send(`421["zero"]`, `422["one",21]`, `423["two",1,"x"]`, `424["three",1,2,3]`, `425["fails",1]`, `426["one","?"]`, `42["one",1]`)
		srv.want(`431["none"]`, `432[42]`, `433["x"]`, `434[6]`)
		srv.quiet()
		if len(errs) != 2 || !errors.Is(errs[0], bad) || !errors.Is(errs[1], sioclient.ErrDecode) {
			t.Errorf("errors %v", errs)
		}
		if !s.Connected() {
			t.Error("an error of a handler ended the connection")
		}
	})
}

func TestAckAfterTheConnectionEnded(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		events := make(chan *sioclient.Event, 1)
		s.On("q", func(e *sioclient.Event) error { events <- e; return nil })
		srv.send(`420["q"]`)
		e := <-events
		srv.Cut()
		srv = w.accept()
		srv.want("40")
		srv.send(`40{"sid":"b"}`)
		synctest.Wait()
		err := e.Ack("too late") // the id means something else to the new connection
		if !errors.Is(err, sioclient.ErrDisconnected) || !errors.Is(err, errkit.NotSent) {
			t.Errorf("Ack = %v, want ErrDisconnected", err)
		}
		srv.quiet()
		if err := e.Ack(make(chan int)); err == nil {
			t.Error("Ack with a channel: no error")
		}
	})
}

func TestSecondAckIsIgnored(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		s.On("q", func(e *sioclient.Event) error {
			if !e.WantsAck() {
				t.Error("WantsAck = false")
			}
			return errors.Join(e.Ack(1), e.Ack(2))
		})
		s.On("n", func(e *sioclient.Event) error { return e.Ack(3) })
		srv.send(`420["q"]`, `42["n"]`)
		srv.want(`430[1]`)
		srv.quiet()
	})
}

func TestArgumentsAreJSONAsItCame(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, w *world) {
		s, srv := w.connected(nil)
		got := make(chan json.RawMessage, 1)
		s.On("x", func(e *sioclient.Event) error { got <- e.Args.JSON(); return nil })
		srv.send(`42["x",1e400,{"b":1,"a":2},12345678901234567890123,null]`)
		if d := cmp.Diff(`[1e400,{"b":1,"a":2},12345678901234567890123,null]`, string(<-got)); d != "" {
			t.Errorf("arguments (-want +got):\n%s", d)
		}
	})
}
