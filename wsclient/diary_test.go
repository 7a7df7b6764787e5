//go:build !js

package wsclient_test

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// peerURL is the address of the servers of these tests in their networks.
const peerURL = "ws://peer.test"

// diary keeps what a manager tells its hooks, with the time of each attempt.
type diary struct {
	mu sync.Mutex
	pages
}

// pages are read through diary.told.
type pages struct {
	at       []time.Time
	attempts []wsclient.Attempt
	failures []wsclient.AttemptFailure
	connects []wsclient.ConnectInfo
	losses   []wsclient.DisconnectInfo
	gaveUp   []error
}

func (d *diary) hooks() wsclient.Hooks {
	return wsclient.Hooks{
		OnAttempt: func(a wsclient.Attempt) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.at = append(d.at, time.Now())
			d.attempts = append(d.attempts, a)
		},
		OnAttemptFailed: func(f wsclient.AttemptFailure) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.failures = append(d.failures, f)
		},
		OnConnect: func(c wsclient.ConnectInfo) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.connects = append(d.connects, c)
		},
		OnDisconnect: func(i wsclient.DisconnectInfo) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.losses = append(d.losses, i)
		},
		OnGiveUp: func(err error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.gaveUp = append(d.gaveUp, err)
		},
	}
}

// told returns what the hooks were told up to this moment, when they have all returned.
func (d *diary) told() pages {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pages
}

// pauses returns the time between one attempt and the next.
func (d *diary) pauses() []time.Duration {
	var p []time.Duration
	for i, at := 1, d.told().at; i < len(at); i++ {
		p = append(p, at[i].Sub(at[i-1]))
	}
	return p
}

// forget begins a new page.
func (d *diary) forget() {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pages = pages{}
}

// manage makes a manager with a diary. It is closed at the end of the test.
func manage(t *testing.T, url string, o wsclient.Options) (*wsclient.Manager, *diary) {
	t.Helper()
	d := &diary{}
	o.Hooks = d.hooks()
	m, err := wsclient.New(url, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m, d
}

// at returns options to dial on a network in memory.
func at(network *netem.Network, r wsclient.ReconnectOptions) wsclient.Options {
	return wsclient.Options{Dial: wsclient.DialOptions{DialContext: network.DialContext}, Reconnect: r}
}

// serve starts a server at host:port of a network in memory.
func serve(t *testing.T, network *netem.Network, addr string, o wstest.Options) *wstest.Server {
	t.Helper()
	var err error
	if o.Listener, err = network.Listen(addr); err != nil {
		t.Fatal(err)
	}
	srv, err := wstest.Start(&o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	return srv
}

// script starts a scripted peer at host:port of a network in memory.
func script(t *testing.T, network *netem.Network, addr string, scripts ...wstest.Script) *wstest.Peer {
	t.Helper()
	l, err := network.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	p, err := wstest.Play(&wstest.PeerOptions{Listener: l}, scripts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// answers is a server's Request that gives these answers, one after the other, and lets all requests after them pass.
func answers(list ...func(http.ResponseWriter)) func(http.ResponseWriter, *http.Request) bool {
	var mu sync.Mutex
	return func(w http.ResponseWriter, _ *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if len(list) == 0 {
			return true
		}
		list[0](w)
		list = list[1:]
		return false
	}
}

// status answers with a status and a header.
func status(code int, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// connected connects and lets the connection be stable.
func connected(t *testing.T, m *wsclient.Manager) {
	t.Helper()
	if err := m.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
	synctest.Wait()
}

// rest waits until the manager is at rest and checks that everybody is told of the same error.
func rest(t *testing.T, m *wsclient.Manager, d *diary) error {
	t.Helper()
	<-m.Done()
	err := m.Err()
	if told := d.told().gaveUp; len(told) != 1 || told[0] != err {
		t.Errorf("OnGiveUp got %v, Err is %v", told, err)
	}
	if !errors.Is(err, wsclient.Err) || m.State() != wsclient.StateDisconnected {
		t.Errorf("%v in state %v", err, m.State())
	}
	return err
}

// tcp is the error of a dial that fails in this way.
func tcp(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
