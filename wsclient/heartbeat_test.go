package wsclient_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestLV01RoundTripTimes(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		delays := []time.Duration{0, 500 * time.Millisecond, 100 * time.Millisecond}
		w.play(upgraded(func(s *wstest.Session) error {
			for i := 0; ; i++ {
				f, err := s.Next()
				if err != nil {
					return nil
				}
				if f.Opcode != wstest.OpPing {
					return s.Discard()
				}
				time.Sleep(delays[i%len(delays)])
				s.Send(wstest.Pong(string(f.Payload)))
			}
		}))
		var hook []time.Duration
		m := w.connect(wsclient.Options{Hooks: wsclient.Hooks{OnPong: func(rtt time.Duration) { hook = append(hook, rtt) }}})
		time.Sleep(time.Minute + time.Second)
		synctest.Wait()
		if diff := cmp.Diff(delays, hook); diff != "" {
			t.Errorf("OnPong (-want +got):\n%s", diff)
		}
		want := wsclient.RTT{
			Count: 3, Last: 100 * time.Millisecond, Min: 0, Max: 500 * time.Millisecond,
			Smoothed: (500*time.Millisecond/8)*7/8 + 100*time.Millisecond/8,
		}
		got := m.Stats().RTT
		if (got.Smoothed - want.Smoothed).Abs() < time.Microsecond {
			got.Smoothed = want.Smoothed // but for rounding
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Stats (-want +got):\n%s", diff)
		}
	})
}

func TestLV02PingInterval(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		began := time.Now()
		var pings []time.Duration
		w.play(upgraded(func(s *wstest.Session) error {
			for {
				f, err := s.Next()
				if err != nil {
					return nil
				}
				if f.Opcode == wstest.OpPing {
					pings = append(pings, time.Since(began))
					s.Send(wstest.Pong(string(f.Payload)))
				}
			}
		}))
		m := w.connect(wsclient.Options{})
		time.Sleep(65 * time.Second)
		m.Kill()
		bytes := w.net.Bytes(netem.Up)
		time.Sleep(time.Hour)
		if diff := cmp.Diff([]time.Duration{20 * time.Second, 40 * time.Second, 60 * time.Second}, pings); diff != "" {
			t.Errorf("pings (-want +got):\n%s", diff)
		}
		if w.net.Bytes(netem.Up) != bytes {
			t.Error("something was sent without a connection")
		}
	})
}

func TestLV03IdleWatchdog(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(func(s *wstest.Session) error {
			time.Sleep(10 * time.Second)
			s.Send(wstest.Text("the only message"))
			return s.Echo() // and with it, pongs
		}))
		m := w.connect(wsclient.Options{
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: 5 * time.Second, IdleTimeout: 30 * time.Second},
			Reconnect: wsclient.ReconnectOptions{Disabled: true},
		})
		began := time.Now()
		m.WaitState(t.Context(), wsclient.StateDisconnected)
		synctest.Wait()
		if took := time.Since(began); took != 40*time.Second {
			t.Errorf("ended after %v", took)
		}
		lost := w.log.lost()
		if len(lost) != 1 || lost[0].Reason != wsclient.ReasonIdleTimeout {
			t.Fatalf("OnDisconnect: %+v", lost)
		}
		if e := want[*wsclient.TimeoutError](t, lost[0].Err); e.Limit != 30*time.Second {
			t.Errorf("error: %v", e)
		}
	})
}

func TestLV04ApplicationPing(t *testing.T) {
	for name, isPong := range map[string]func(wsclient.Message) bool{
		"with pong":     func(m wsclient.Message) bool { return string(m.Data) == "pong" },
		"with any byte": nil,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				controls := 0
				w.play(upgraded(func(s *wstest.Session) error {
					for i := 0; ; {
						f, err := s.Next()
						if err != nil {
							return nil
						}
						if f.Opcode != wstest.OpText || string(f.Payload) != "ping" {
							controls++
						} else if i++; i <= 3 {
							time.Sleep(time.Second)
							s.Send(wstest.Text("pong"))
						}
					}
				}))
				m := w.connect(wsclient.Options{
					Heartbeat: wsclient.HeartbeatOptions{
						AppPing:   func() (wsclient.MessageType, []byte) { return wsclient.Text, []byte("ping") },
						IsAppPong: isPong,
					},
					Reconnect: wsclient.ReconnectOptions{Disabled: true},
				})
				began := time.Now()
				m.WaitState(t.Context(), wsclient.StateDisconnected)
				synctest.Wait()
				if took := time.Since(began); took != 90*time.Second {
					t.Errorf("ended after %v", took)
				}
				if lost := w.log.lost(); len(lost) != 1 || lost[0].Reason != wsclient.ReasonPingTimeout || controls != 0 {
					t.Errorf("%d control frames, OnDisconnect: %+v", controls, lost)
				}
				s := m.Stats()
				if isPong != nil && (s.RTT.Count != 3 || s.RTT.Last != time.Second || s.MessagesReceived != 0) {
					t.Errorf("counters: %+v", s)
				}
				if isPong == nil && s.MessagesReceived != 3 {
					t.Errorf("%d messages were delivered", s.MessagesReceived)
				}
			})
		})
	}
}

// While a consumer blocks the reader, nobody reads pongs, so their absence means nothing.
func TestPingTimeoutSuspended(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(func(s *wstest.Session) error {
			for range 10 {
				s.Send(wstest.Text("x"))
			}
			return s.Echo()
		}))
		m := w.connect(wsclient.Options{
			Receive: wsclient.ReceiveOptions{MaxMessages: 2, Overflow: wsclient.Block, SlowConsumerTimeout: -1},
		})
		time.Sleep(time.Hour)
		w.inState(m, wsclient.StateConnected)
		for range 10 {
			if _, err := m.Receive(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		w.inState(m, wsclient.StateConnected)
		w.net.HalfOpen()
		time.Sleep(time.Minute)
		if lost := w.log.lost(); len(lost) != 1 || lost[0].Reason != wsclient.ReasonPingTimeout {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}

// A consumer that never keeps up costs the connection, and what was read is not lost.
func TestSlowConsumer(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(func(s *wstest.Session) error {
			for _, x := range []string{"1", "2", "3", "4"} {
				s.Send(wstest.Text(x))
			}
			return s.Echo()
		}), upgraded(discard))
		m := w.connect(wsclient.Options{
			Receive:   wsclient.ReceiveOptions{MaxMessages: 2, Overflow: wsclient.Block},
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
		})
		began := time.Now()
		m.WaitState(t.Context(), wsclient.StateReconnecting)
		m.WaitState(t.Context(), wsclient.StateConnected)
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("ended after %v", took)
		}
		synctest.Wait()
		lost := w.log.lost()
		if len(lost) != 1 || lost[0].Reason != wsclient.ReasonSlowConsumer {
			t.Fatalf("OnDisconnect: %+v", lost)
		}
		if e := want[*wsclient.QueueFullError](t, lost[0].Err); e.QueueSize != 2 {
			t.Errorf("error: %+v", e)
		}
		for _, want := range []string{"1", "2", "3"} {
			if msg, err := m.Receive(t.Context()); err != nil || string(msg.Data) != want {
				t.Errorf("received %q, %v, want %s", msg.Data, err, want)
			}
		}
	})
}

// Without pings of its own, the heartbeat still sends those by which the queue tells a message that the peer cannot bear
// from those that it has not acknowledged yet.
func TestPingsForTheQueueAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var r record
		w.serve(r.acking(func(_ int, number, text string) any {
			switch text {
			case "bad":
				return 1009
			case "last":
				return "ack " + number
			}
			return nil
		}))
		m := w.connect(wsclient.Options{
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1}, Reconnect: fast,
			Send: atLeastOnce(func(a *wsclient.AckOptions) { a.Cumulative, a.Timeout = true, -1 }),
		})
		for _, text := range []string{"1", "2", "bad", "last"} {
			if err := m.Send(t.Context(), wsclient.Text, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if s := m.Stats(); s.Acked != 3 || s.Quarantined != 1 {
			t.Errorf("%d acknowledged, %d quarantined", s.Acked, s.Quarantined)
		}
	})
}
