//go:build !js

package wsclient_test

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func seconds(s ...float64) []time.Duration {
	d := make([]time.Duration, len(s))
	for i := range s {
		d[i] = time.Duration(s[i] * float64(time.Second))
	}
	return d
}

func TestRC01RC02Pauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			row     string
			options wsclient.ReconnectOptions
			want    []time.Duration
		}{
			{"RC-01", wsclient.ReconnectOptions{Backoff: steady}, seconds(1, 2, 4, 8, 16, 32, 60, 60)},
			{"RC-02", wsclient.ReconnectOptions{Strategy: wsclient.Immediate}, seconds(0, 0, 0, 0, 0, 0, 0, 0)},
			{
				"RC-02", wsclient.ReconnectOptions{
					Strategy: wsclient.Fixed, Backoff: retry.Backoff{Base: 50 * time.Millisecond},
				}, seconds(0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05),
			},
		} {
			network := netem.New(nil)
			srv := serve(t, network, "peer.test:80", wstest.Options{})
			c.options.MaxAttempts = 9
			m, d := manage(t, peerURL, at(network, c.options))
			connected(t, m)
			d.forget()
			lost := time.Now()
			network.Refuse("peer.test:80")
			srv.DropConns()
			err := rest(t, m, d)
			if got := d.pauses(); cmp.Diff(c.want, got) != "" {
				t.Errorf("%s: pauses (-want +got):\n%s", c.row, cmp.Diff(c.want, got))
			}
			first := d.told().at[0].Sub(lost)
			if want := map[wsclient.Strategy]time.Duration{wsclient.Fixed: 50 * time.Millisecond}[c.options.Strategy]; first != want {
				t.Errorf("%s: the first attempt came after %v, want %v", c.row, first, want)
			}
			e, ok := errors.AsType[*wsclient.ReconnectError](err)
			if !ok || e.Attempts != 9 || e.Outage != 1 || !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: %v", c.row, err)
			}
			_, err = m.Receive(t.Context())
			if !errors.Is(err, e) {
				t.Errorf("%s: Receive fails with %v", c.row, err)
			}
		}
	})
}

// A peer that accepts connections and drops them at once is not hammered.
func TestRC10Flapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		uptimes := make(chan time.Duration, 8)
		for _, u := range seconds(1, 1, 1, 11, 1, 1) {
			uptimes <- u
		}
		script(t, network, "peer.test:80", func(s *wstest.Session) error {
			if err := s.Upgrade(nil); err != nil {
				return err
			}
			select {
			case u := <-uptimes:
				time.Sleep(u)
				return s.RST()
			default:
				return s.Echo()
			}
		})
		m, d := manage(t, peerURL, at(network, wsclient.ReconnectOptions{Backoff: steady}))
		connected(t, m)
		time.Sleep(time.Hour)
		// Each pause is the uptime and the delay.
		if diff := cmp.Diff(seconds(1+1, 1+2, 1+4, 11+0, 1+1, 1+2), d.pauses()); diff != "" {
			t.Errorf("pauses (-want +got):\n%s", diff)
		}
	})
}

func TestRC20ThirdAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		serve(t, network, "third.test:80", wstest.Options{})
		o := at(network, wsclient.ReconnectOptions{})
		o.Endpoints.URLs = []string{"ws://second.test", "ws://third.test"}
		m, d := manage(t, "ws://first.test", o)
		began := time.Now()
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if took := time.Since(began); took != 0 || d.told().connects[0].Endpoint != "ws://third.test" || d.told().connects[0].Attempts != 3 {
			t.Errorf("%+v after %v", d.told().connects[0], took)
		}
	})
}

// A connection to another address lasts until the first one works again.
func TestFailbackAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		serve(t, network, "first.test:80", wstest.Options{})
		serve(t, network, "second.test:80", wstest.Options{})
		network.Refuse("first.test:80")
		o := at(network, wsclient.ReconnectOptions{})
		o.Endpoints = wsclient.EndpointOptions{URLs: []string{"ws://second.test"}, FailbackAfter: 10 * time.Minute}
		m, d := manage(t, "ws://first.test", o)
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Minute)
		network.Allow("first.test:80")
		time.Sleep(time.Hour)
		var endpoints []string
		for _, c := range d.told().connects {
			endpoints = append(endpoints, c.Endpoint)
			if c.Downtime != 0 {
				t.Errorf("%+v, with a pause", c)
			}
		}
		if diff := cmp.Diff([]string{"ws://second.test", "ws://second.test", "ws://first.test"}, endpoints); diff != "" {
			t.Errorf("addresses (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(seconds(0, 600, 0, 600), d.pauses()); diff != "" {
			t.Errorf("pauses (-want +got):\n%s", diff)
		}
		for _, l := range d.told().losses {
			if l.Reason != wsclient.ReasonScheduled || !l.WillReconnect {
				t.Errorf("%+v", l)
			}
		}
	})
}

func TestRC26CallbackGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		srv := serve(t, network, "peer.test:80", wstest.Options{})
		enough := errors.New("enough")
		m, d := manage(t, peerURL, at(network, wsclient.ReconnectOptions{
			Strategy: wsclient.Callback,
			Delay: func(a wsclient.Attempt) (time.Duration, error) {
				if a.Number == 3 {
					return 0, enough
				}
				return time.Hour, nil
			},
		}))
		connected(t, m)
		d.forget()
		network.Refuse("peer.test:80")
		srv.DropConns()
		err := rest(t, m, d)
		if e, ok := errors.AsType[*wsclient.ReconnectError](err); !ok || e.Attempts != 2 || !e.Terminal || !errors.Is(err, enough) {
			t.Errorf("%v", err)
		}
		if diff := cmp.Diff(seconds(3600), d.pauses()); diff != "" {
			t.Errorf("pauses (-want +got):\n%s", diff)
		}
	})
}

// Clients that lose one server at once do not come back all at once.
func TestRC27Herd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bucket = 100 * time.Millisecond
		const clients = 1000 // with fewer, chance brings more than a fifth together now and then
		network := netem.New(nil)
		srv := serve(t, network, "peer.test:80", wstest.Options{})
		diaries := make([]*diary, clients)
		for i := range diaries {
			o := at(network, wsclient.ReconnectOptions{})
			o.Heartbeat.PingInterval = -1
			m, d := manage(t, peerURL, o)
			diaries[i] = d
			if err := m.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		lost := time.Now()
		srv.DropConns()
		time.Sleep(time.Minute)
		synctest.Wait()
		buckets := map[int]int{}
		for _, d := range diaries {
			if len(d.told().at) != 2 {
				t.Fatalf("%d attempts", len(d.told().at))
			}
			buckets[int(d.told().at[1].Sub(lost)/bucket)]++
		}
		for i, n := range buckets {
			if n > clients/5 || i >= 10 {
				t.Errorf("%d clients came back %v after the loss", n, time.Duration(i)*bucket)
			}
		}
		if len(buckets) < 5 {
			t.Errorf("they came back in %d parts of a second", len(buckets))
		}
	})
}
