//go:build !js

package wsclient_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestRC03Outage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		srv := serve(t, network, "peer.test:80", wstest.Options{})
		m, d := manage(t, peerURL, at(network, wsclient.ReconnectOptions{MaxAttempts: 5}))
		connected(t, m)
		d.forget()
		received := make(chan error, 1)
		go func() {
			_, err := m.Receive(t.Context())
			received <- err
		}()
		network.Refuse("peer.test:80")
		srv.DropConns()
		err := rest(t, m, d)
		e, ok := errors.AsType[*wsclient.ReconnectError](err)
		if !ok || e.Attempts != 5 || len(d.told().attempts) != 5 || e.Terminal || !errors.Is(err, wsclient.ErrClosed) {
			t.Errorf("%v after %d attempts", err, len(d.told().attempts))
		}
		if got := <-received; got != err {
			t.Errorf("Receive fails with %v, want %v", got, err)
		}
		d.forget()
		err = m.Connect(t.Context())
		synctest.Wait()
		if e, ok := errors.AsType[*wsclient.ConnectionError](err); !ok || e.Attempts != 6 || len(d.told().attempts) != 6 {
			t.Errorf("RC-04: %v after %d attempts", err, len(d.told().attempts))
		}
	})
}

func TestRC07Timeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		srv := serve(t, network, "peer.test:80", wstest.Options{})
		o := at(network, wsclient.ReconnectOptions{Backoff: steady, MaxAttempts: 3})
		o.Dial.HandshakeTimeout = 5 * time.Second
		m, d := manage(t, peerURL, o)
		connected(t, m)
		d.forget()
		network.Blackhole("peer.test:80")
		srv.DropConns()
		err := rest(t, m, d)
		e, ok := errors.AsType[*wsclient.ReconnectError](err)
		timeout, isTimeout := errors.AsType[*wsclient.TimeoutError](err)
		if !ok || e.Attempts != 3 || !isTimeout || timeout.Limit != 5*time.Second || timeout.Op != "connect" {
			t.Errorf("%v", err)
		}
		if diff := cmp.Diff(seconds(5+1, 5+2), d.pauses()); diff != "" {
			t.Errorf("pauses (-want +got):\n%s", diff)
		}
		err = m.Connect(t.Context())
		timeout, isTimeout = errors.AsType[*wsclient.TimeoutError](err)
		if !isTimeout || timeout.Attempts != 4 || timeout.URL != peerURL || errors.Is(err, wsclient.ErrConnection) {
			t.Errorf("the first connection: %v", err)
		}
	})
}

func TestRC21Functions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		var paths, tokens []string
		serve(t, network, "peer.test:80", wstest.Options{Request: func(w http.ResponseWriter, r *http.Request) bool {
			paths, tokens = append(paths, r.URL.Path), append(tokens, r.Header.Get("X-Token"))
			if len(paths) < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return len(paths) >= 3
		}})
		boom := errors.New("boom")
		var urls, headers []wsclient.Attempt
		o := at(network, wsclient.ReconnectOptions{Backoff: steady})
		o.Dial.URLFunc = func(_ context.Context, a wsclient.Attempt) (string, error) {
			urls = append(urls, a)
			if a.Number == 2 {
				return "", boom
			}
			return fmt.Sprintf("%s/%d", a.Endpoint, a.Number), nil
		}
		o.Dial.HeaderFunc = func(ctx context.Context, a wsclient.Attempt) (http.Header, error) {
			headers = append(headers, a)
			if a.Number == 3 {
				<-ctx.Done() // too slow
			}
			return http.Header{"X-Token": {fmt.Sprint("token ", a.Number)}}, nil
		}
		m, d := manage(t, peerURL, o)
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if diff := cmp.Diff([]string{"/1", "/4", "/5"}, paths); diff != "" {
			t.Errorf("paths (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"token 1", "token 4", "token 5"}, tokens); diff != "" {
			t.Errorf("tokens (-want +got):\n%s", diff)
		}
		numbers := func(list []wsclient.Attempt) (n []int) {
			for _, a := range list {
				n = append(n, a.Number)
			}
			return n
		}
		if diff := cmp.Diff([]int{1, 2, 3, 4, 5}, numbers(urls)); diff != "" {
			t.Errorf("calls of URLFunc (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]int{1, 3, 4, 5}, numbers(headers)); diff != "" {
			t.Errorf("calls of HeaderFunc (-want +got):\n%s", diff)
		}
		if a := urls[1]; a.LastStatus != 503 || a.LastErr != d.told().failures[0].Err || a.Delay != time.Second {
			t.Errorf("after the first failure: %+v", a)
		}
		if a := urls[2]; a.LastStatus != 0 || !errors.Is(a.LastErr, boom) || !errors.Is(a.LastErr, wsclient.Err) {
			t.Errorf("after the second failure: %+v", a)
		}
		if _, ok := errors.AsType[*wsclient.TimeoutError](d.told().failures[2].Err); !ok || d.told().at[3].Sub(d.told().at[2]) != 30*time.Second+4*time.Second {
			t.Errorf("the third failure: %v", d.told().failures[2].Err)
		}
	})
}

func TestRC21GiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, set := range []func(*wsclient.DialOptions, error){
			func(o *wsclient.DialOptions, err error) {
				o.URLFunc = func(context.Context, wsclient.Attempt) (string, error) { return "", err }
			},
			func(o *wsclient.DialOptions, err error) {
				o.HeaderFunc = func(context.Context, wsclient.Attempt) (http.Header, error) { return nil, err }
			},
			func(o *wsclient.DialOptions, _ error) {
				o.URLFunc = func(context.Context, wsclient.Attempt) (string, error) { return "S3CRET", nil }
			},
		} {
			o := at(netem.New(nil), wsclient.ReconnectOptions{})
			set(&o.Dial, fmt.Errorf("account closed: %w", wsclient.ErrGiveUp))
			m, d := manage(t, peerURL, o)
			err := m.Connect(t.Context())
			synctest.Wait()
			e, ok := errors.AsType[*wsclient.ConnectionError](err)
			if !ok || e.Attempts != 1 || len(d.told().attempts) != 1 || !errors.Is(err, wsclient.ErrGiveUp) && !errors.Is(err, wsclient.ErrConfig) {
				t.Errorf("%v after %d attempts", err, len(d.told().attempts))
			}
		}
	})
}

// The number of attempts in an error is the number of connections that the peer has seen.
func TestEC09Attempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kinds := map[string]int{}
		scenarios := uint64(1000)
		if racing {
			scenarios = 200
		}
		for seed := range scenarios {
			kinds[exact(t, seed)]++
		}
		if kinds["connect"] < 50 || kinds["reconnect"] < 50 || kinds["terminal"] < 1 {
			t.Errorf("the scenarios end in %v, which shows too little", kinds)
		}
	})
}

// exact plays one random scenario and returns how it ended.
func exact(t *testing.T, seed uint64) (end string) {
	t.Helper()
	var mu sync.Mutex // guards what follows
	r := rand.New(rand.NewPCG(seed, 9))
	seen, before, left := 0, 0, r.IntN(4) // connections, those before this outage, those that will be upgraded
	first := true
	network := netem.New(nil)
	peer := script(t, network, "peer.test:80", func(s *wstest.Session) error {
		mu.Lock()
		seen++
		outcome, uptime := r.IntN(6), time.Duration(r.IntN(20))*time.Second
		if outcome > 3 && left == 0 {
			outcome = r.IntN(4)
		}
		if outcome > 3 {
			left--
		}
		mu.Unlock()
		switch outcome {
		case 0:
			return s.RST()
		case 1:
			return s.Answer(http.StatusServiceUnavailable, nil, "")
		case 2:
			return errors.Join(s.Raw([]byte("hello\r\n\r\n")), s.Discard())
		case 3:
			return s.Discard() // until the time of the attempt is up
		}
		if err := s.Upgrade(nil); err != nil {
			return err
		}
		time.Sleep(uptime)
		mu.Lock()
		if first || uptime >= 10*time.Second {
			before = seen
		}
		first = false
		mu.Unlock()
		return s.RST()
	})
	o := at(network, wsclient.ReconnectOptions{
		MaxAttempts: 1 + r.IntN(6), MaxInitialAttempts: r.IntN(4), Strategy: wsclient.Strategy(r.IntN(3)),
	})
	o.Dial.HandshakeTimeout = 5 * time.Second
	o.Heartbeat.PingInterval = -1
	m, _ := manage(t, peerURL, o)
	end = "connect"
	err := m.Connect(t.Context())
	if err == nil {
		<-m.Done()
		err = m.Err()
		end = "reconnect"
		if e, ok := errors.AsType[*wsclient.ReconnectError](err); !ok || e.Terminal {
			end = "terminal"
		}
	}
	m.Close()
	synctest.Wait()
	want := peer.Accepted() - before
	var got int
	switch e := err.(type) {
	case *wsclient.ConnectionError:
		got = e.Attempts
	case *wsclient.HandshakeError:
		got = e.Attempts
	case *wsclient.TimeoutError:
		got = e.Attempts
	case *wsclient.ReconnectError:
		got = e.Attempts
	default:
		t.Errorf("scenario %d ends with %T: %v", seed, err, err)
	}
	if got != want || !errors.Is(err, wsclient.Err) {
		t.Errorf("scenario %d: %d attempts, the peer has seen %d: %v", seed, got, want, err)
	}
	peer.Close()
	return end
}
