//go:build !js

package wsclient_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// stable is how long the connections of closing are up: long enough to be taken for stable, too short for a ping.
const stable = 15 * time.Second

// closing is a script that sends a close frame to a connection that is stable.
func closing(code int, reason string) wstest.Script {
	return func(s *wstest.Session) error {
		if err := s.Upgrade(nil); err != nil {
			return err
		}
		time.Sleep(stable)
		return errors.Join(s.Send(wstest.CloseFrame(code, reason)), s.Discard())
	}
}

// open is a script that keeps the connection.
func open(s *wstest.Session) error {
	return errors.Join(s.Upgrade(nil), s.Echo())
}

func TestRC17RC18CloseCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const retry, giveUp = true, false
		for _, c := range []struct {
			code   int // in the frame; 0 for a frame without one
			want   int // that the manager sees
			reason wsclient.DisconnectReason
			again  bool
			delays [2]time.Duration // the shortest and the longest
		}{
			{1000, 1000, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
			{1001, 1001, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
			{1002, 1002, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
			{1003, 1003, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
			{1004, 1002, wsclient.ReasonProtocolError, retry, [2]time.Duration{0, time.Second}},
			{0, 1005, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
			{1005, 1002, wsclient.ReasonProtocolError, retry, [2]time.Duration{0, time.Second}},
			{1006, 1002, wsclient.ReasonProtocolError, retry, [2]time.Duration{0, time.Second}},
			{1007, 1007, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
			{1008, 1008, wsclient.ReasonServerClosed, giveUp, [2]time.Duration{}},
			{1009, 1009, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
			{1010, 1010, wsclient.ReasonServerClosed, giveUp, [2]time.Duration{}},
			{1011, 1011, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
			{1012, 1012, wsclient.ReasonServerClosed, retry, [2]time.Duration{5 * time.Second, 30 * time.Second}},
			{1013, 1013, wsclient.ReasonServerClosed, retry, [2]time.Duration{5 * time.Second, 5 * time.Second}},
			{1014, 1014, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
			{1015, 1002, wsclient.ReasonProtocolError, retry, [2]time.Duration{0, time.Second}},
			{3000, 3000, wsclient.ReasonServerClosed, giveUp, [2]time.Duration{}},
			{3003, 3003, wsclient.ReasonServerClosed, giveUp, [2]time.Duration{}},
			{3008, 3008, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
			{4000, 4000, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
			{4401, 4401, wsclient.ReasonServerClosed, giveUp, [2]time.Duration{}},
			{4403, 4403, wsclient.ReasonServerClosed, giveUp, [2]time.Duration{}},
			{4999, 4999, wsclient.ReasonServerClosed, retry, [2]time.Duration{0, time.Second}},
		} {
			network := netem.New(nil)
			text := "why"
			if c.code == 0 {
				text = ""
			}
			script(t, network, "peer.test:80", closing(c.code, text), open)
			m, d := manage(t, peerURL, at(network, wsclient.ReconnectOptions{}))
			connected(t, m)
			time.Sleep(time.Minute)
			synctest.Wait()
			if len(d.told().losses) != 1 {
				t.Errorf("%d: %d losses", c.code, len(d.told().losses))
				continue
			}
			got := d.told().losses[0]
			if c.want != c.code {
				text = "" // no text of the peer
			}
			remote := c.reason == wsclient.ReasonServerClosed
			if got.Reason != c.reason || got.Close.Why != c.reason || got.Close.Code != c.want || got.Close.Reason != text ||
				got.Close.Remote != remote || got.Close.Gen != 1 || got.Close.Endpoint != peerURL ||
				got.Close.Err == nil || got.WillReconnect != c.again || got.Uptime != got.Close.Uptime || got.Uptime != stable {
				t.Errorf("%d: %+v", c.code, got)
			}
			if got.NextDelay < c.delays[0] || got.NextDelay > c.delays[1] {
				t.Errorf("%d: the next attempt comes after %v", c.code, got.NextDelay)
			}
			if c.again {
				if pause := d.pauses()[0]; pause != got.NextDelay+stable || !m.IsConnected() {
					t.Errorf("%d: the next attempt came after %v, state %v", c.code, pause, m.State())
				}
				continue
			}
			e, ok := errors.AsType[*wsclient.ReconnectError](rest(t, m, d))
			if closed, isClosed := errors.AsType[*wsclient.ClosedError](m.Err()); !ok || !e.Terminal || e.Attempts != 0 ||
				!isClosed || closed.Code != c.want || closed.Reason != text || len(d.told().attempts) != 1 {
				t.Errorf("%d: %v after %d attempts", c.code, m.Err(), len(d.told().attempts))
			}
		}
	})
}

// A peer that closes every connection because of violations is left after three.
func TestRC17ThreeViolations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, code := range []int{1002, 1003, 1007} {
			network := netem.New(nil)
			script(t, network, "peer.test:80", func(s *wstest.Session) error {
				return errors.Join(s.Upgrade(nil), s.Send(wstest.CloseFrame(code, "")), s.Discard())
			})
			m, d := manage(t, peerURL, at(network, wsclient.ReconnectOptions{}))
			if err := m.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			err := rest(t, m, d)
			e, ok := errors.AsType[*wsclient.ReconnectError](err)
			if _, protocol := errors.AsType[*wsclient.ProtocolError](err); !ok || !protocol || !e.Terminal || e.Attempts != 2 ||
				network.Count() != 3 {
				t.Errorf("%d: %v after %d dials", code, err, network.Count())
			}
		}
	})
}

func TestRC19OtherAddressFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		script(t, network, "peer.test:80", closing(1013, "busy"))
		script(t, network, "second.test:80", open)
		o := at(network, wsclient.ReconnectOptions{Backoff: steady})
		o.Endpoints.URLs = []string{"ws://second.test"}
		m, d := manage(t, peerURL, o)
		connected(t, m)
		if len(d.told().connects) != 2 || d.told().connects[1].Endpoint != "ws://second.test" || d.told().connects[1].Downtime != 0 {
			t.Errorf("%+v", d.told().connects)
		}
	})
}

// Credentials that a connection was closed for are refreshed before the next one.
func TestRC17Refresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, code := range []int{3000, 4401} {
			network := netem.New(nil)
			script(t, network, "peer.test:80", closing(code, ""), open)
			o := at(network, wsclient.ReconnectOptions{})
			refreshes := 0
			o.Dial.AuthRefresh = func(_ context.Context, a wsclient.Attempt) error {
				if a.LastClose == nil || a.LastClose.Code != code {
					t.Errorf("%d: refreshed in %+v", code, a)
				}
				refreshes++
				return nil
			}
			m, d := manage(t, peerURL, o)
			connected(t, m)
			if refreshes != 1 || len(d.told().connects) != 2 || d.told().connects[1].Downtime != 0 {
				t.Errorf("%d: %d refreshes, %+v", code, refreshes, d.told().connects)
			}
		}
	})
}

func TestStopOnNormalClosure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		script(t, network, "peer.test:80", closing(1000, "done"))
		m, d := manage(t, peerURL, at(network, wsclient.ReconnectOptions{StopOnNormalClosure: true}))
		connected(t, m)
		if e, ok := errors.AsType[*wsclient.ReconnectError](rest(t, m, d)); !ok || !e.Terminal {
			t.Errorf("%v", m.Err())
		}
	})
}
