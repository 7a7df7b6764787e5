package wsclient_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestST22MaxConnectionAge(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{Control: wsclient.ControlOptions{
			MaxConnectionAge: 24 * time.Hour, DisconnectMargin: 5 * time.Minute,
		}})
		began := time.Now()
		if _, err := m.WaitState(t.Context(), wsclient.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		age := time.Since(began)
		if age <= 23*time.Hour+50*time.Minute || age > 23*time.Hour+55*time.Minute {
			t.Errorf("renewed after %v", age)
		}
		if _, err := m.WaitState(t.Context(), wsclient.StateConnected); err != nil || time.Since(began) != age {
			t.Errorf("connected again after %v: %v", time.Since(began)-age, err)
		}
		synctest.Wait()
		if lost := w.log.lost(); len(lost) != 1 || lost[0].Reason != wsclient.ReasonConnectionLimit || !lost[0].WillReconnect {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}

// A seamless renewal leaves no moment without a connection, keeps what is queued in order, and survives attempts that
// fail.
func TestSeamless(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		refusal := func(s *wstest.Session) error { return s.Answer(503, nil, "") }
		peer := w.play(upgraded((*wstest.Session).Echo), refusal, upgraded(func(s *wstest.Session) error {
			return errors.Join(s.Send(wstest.Text("second")), s.Echo())
		}))
		m := w.connect(wsclient.Options{
			Control: wsclient.ControlOptions{MaxConnectionAge: time.Hour, DisconnectMargin: 5 * time.Minute, Seamless: true},
			Send:    wsclient.SendOptions{Mode: wsclient.SendQueued},
		})
		time.Sleep(58 * time.Minute)
		synctest.Wait()
		if m.State() != wsclient.StateConnected || peer.Accepted() != 3 {
			t.Fatalf("%v after %d connections", m.State(), peer.Accepted())
		}
		if len(w.net.Links()) != 1 {
			t.Errorf("%d sockets are open", len(w.net.Links()))
		}
		for _, s := range w.log.seen()[2:] {
			t.Errorf("there was a moment in state %v", s)
		}
		gained, lost := w.log.gained, w.log.lost()
		if len(gained) != 2 || !gained[1].Seamless || gained[1].Gen != 2 || len(lost) != 1 || !lost[0].Seamless ||
			lost[0].Reason != wsclient.ReasonConnectionLimit || lost[0].Close.Gen != 1 {
			t.Errorf("OnConnect: %+v, OnDisconnect: %+v", gained, lost)
		}
		if len(w.log.failed) != 1 {
			t.Errorf("%d attempts failed", len(w.log.failed))
		}
		m.Send(t.Context(), wsclient.Text, []byte("third"))
		for _, want := range []string{"second", "third"} {
			if msg, err := m.Receive(t.Context()); err != nil || string(msg.Data) != want || msg.Gen != 2 {
				t.Errorf("received %+v, %v, want %s", msg, err, want)
			}
		}
		if s := m.Stats(); s.Connects != 2 || s.Disconnects != 1 || s.TotalDowntime != 0 {
			t.Errorf("counters: %+v", s)
		}
	})
}

// What the peer writes on the old connection until it has read the subscription on the new one is delivered.
func TestSeamlessDeliversBoth(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.net.Latency(netem.Both, 50*time.Millisecond)
		subscribed := make(chan struct{})
		tell := sync.OnceFunc(func() { close(subscribed) })
		w.play(upgraded(func(s *wstest.Session) error {
			_, err := s.Next()
			<-subscribed
			return errors.Join(err, s.Send(wstest.Text("old")), s.Echo())
		}), upgraded(func(s *wstest.Session) error {
			_, err := s.Next()
			tell()
			return errors.Join(err, s.Send(wstest.Text("new")), s.Echo())
		}))
		m := w.connect(wsclient.Options{
			Control:   wsclient.ControlOptions{MaxConnectionAge: time.Hour, Seamless: true},
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: 2 * time.Hour}, // the first script does not read
		})
		if err := m.Subscribe(t.Context(), wsclient.Channel("x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		var got []string
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for range 2 {
			msg, err := m.Receive(ctx)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(msg.Data))
		}
		slices.Sort(got)
		if !slices.Equal(got, []string{"new", "old"}) || w.open() != 1 {
			t.Errorf("received %q, %d connections are open", got, w.open())
		}
	})
}

// A feed that both connections carry for a while comes without a gap, however far away its server is.
func TestSeamlessFeed(t *testing.T) {
	for _, c := range []struct {
		name     string
		latency  func(*netem.Link)
		control  wsclient.ControlOptions
		until    time.Duration
		renewals int // at least
	}{
		{
			name: "far away",
			latency: func(l *netem.Link) {
				l.Latency(netem.Up, 100*time.Millisecond)
				l.Latency(netem.Down, 150*time.Millisecond)
			},
			control: wsclient.ControlOptions{MaxConnectionAge: 20 * time.Second},
			until:   21 * time.Second, renewals: 1,
		},
		{
			// The second connection is replaced before the server has read the subscription on it.
			name: "renewed soon",
			latency: func(l *netem.Link) {
				switch l.ID() {
				case 1:
					l.Latency(netem.Down, 500*time.Millisecond)
				case 2:
					l.Latency(netem.Up, 5*time.Second)
				}
			},
			control: wsclient.ControlOptions{MaxConnectionAge: 4 * time.Second, DisconnectMargin: time.Second},
			until:   20 * time.Second, renewals: 3,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.net.OnLink(c.latency)
				w.serve(ticks)
				c.control.Seamless = true
				m := w.connect(wsclient.Options{
					Subscribe: wsclient.SubscribeOptions{Initial: []wsclient.Subscription{wsclient.Channel("ticks")}},
					Control:   c.control,
					Receive:   wsclient.ReceiveOptions{MaxMessages: wsclient.Unlimited},
				})
				time.Sleep(c.until)
				m.Close()
				if len(w.log.gained) < 1+c.renewals || len(w.log.lost()) != len(w.log.gained) {
					t.Fatalf("OnConnect: %+v, OnDisconnect: %+v", w.log.gained, w.log.lost())
				}
				noGap(t, m)
			})
		})
	}
}

// ticks sends the time since the beginning of the bubble to a subscriber, in hundredths of a second.
func ticks(c *wsconn.Conn) {
	if _, _, err := c.Read(nil); err != nil { // the subscription
		return
	}
	go idle(c)
	for {
		now := time.Since(bubbleBegan)
		tick := now.Truncate(10 * time.Millisecond)
		if c.Write(wsclient.Text, []byte(tick.String())) != nil {
			return
		}
		time.Sleep(tick + 10*time.Millisecond - now)
	}
}

// bubbleBegan is when the time of every bubble begins (see package testing/synctest).
var bubbleBegan = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// noGap checks that the manager has received all ticks from the first to the last.
func noGap(t *testing.T, m *wsclient.Manager) {
	t.Helper()
	got := make(map[string]bool)
	var first, last time.Duration
	for msg, err := range m.Messages(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got[string(msg.Data)] = true
		at, _ := time.ParseDuration(string(msg.Data))
		if len(got) == 1 {
			first = at
		}
		last = max(last, at)
	}
	for at := first; at <= last; at += 10 * time.Millisecond {
		if !got[at.String()] {
			t.Errorf("%v is missing", at)
		}
	}
}

// A message for which there is no room while one connection takes over from another is delivered as soon as there is.
func TestSeamlessBlocked(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(func(s *wstest.Session) error {
			time.Sleep(17 * time.Minute)
			return errors.Join(s.Send(wstest.Text("1"), wstest.Text("2"), wstest.Text("3")), s.Echo())
		}), upgraded(func(s *wstest.Session) error {
			return errors.Join(s.Send(wstest.Text("4")), s.Echo())
		}))
		m := w.connect(wsclient.Options{
			Control:   wsclient.ControlOptions{MaxConnectionAge: 20 * time.Minute, DisconnectMargin: time.Minute, Seamless: true},
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1},
			Receive:   wsclient.ReceiveOptions{MaxMessages: 1, Overflow: wsclient.Block, SlowConsumerTimeout: -1},
		})
		if _, err := w.net.WaitLink(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		got := make(map[uint64]string) // by connection: which of the two goes on first is open
		for range 4 {
			msg, err := m.Receive(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got[msg.Gen] += string(msg.Data)
		}
		diff(t, map[uint64]string{1: "123", 2: "4"}, got)
		time.Sleep(time.Minute)
		if w.open() != 1 {
			t.Errorf("%d connections are open", w.open())
		}
	})
}

// The loss of the old connection while a new one is being made is a loss like any other.
func TestSeamlessLostMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		peer := w.play(upgraded((*wstest.Session).Echo), hold, upgraded((*wstest.Session).Echo))
		m := w.connect(wsclient.Options{
			Control:   wsclient.ControlOptions{MaxConnectionAge: time.Hour, Seamless: true},
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
		})
		if _, err := w.net.WaitLink(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.net.Links()[0].Cut(netem.RST)
		if _, err := m.WaitState(t.Context(), wsclient.StateReconnecting); err != nil {
			t.Fatal(err)
		}
		if _, err := m.WaitState(t.Context(), wsclient.StateConnected); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if peer.Accepted() != 3 || w.open() != 1 {
			t.Errorf("%d of %d connections are open", w.open(), peer.Accepted())
		}
		if lost := w.log.lost(); len(lost) != 1 || lost[0].Reason != wsclient.ReasonNetworkError {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}
