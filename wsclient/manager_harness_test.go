package wsclient_test

import (
	"errors"
	"net/http"
	neturl "net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// host is where the servers of the tests listen, on a network in memory.
const host = "feed.test:80"

// steady has no chance in it: 1, 2, 4 … 60 s.
var steady = retry.Backoff{Jitter: retry.JitterNone}

// noProxy keeps the environment of the test out of it.
func noProxy(*http.Request) (*neturl.URL, error) { return nil, nil }

// world is a network in memory with a manager on it, in a bubble.
type world struct {
	*testing.T
	net *netem.Network
	log *journal
}

// inBubble runs fn in a bubble, where time passes only when nothing else does.
func inBubble(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fn(t, &world{T: t, net: netem.New(nil), log: &journal{began: time.Now()}})
	})
}

// serve starts a well-behaved server.
func (w *world) serve(handler func(*wsconn.Conn)) *wstest.Server {
	w.Helper()
	return w.serveOpts(wstest.Options{Handler: handler})
}

func (w *world) serveOpts(o wstest.Options) *wstest.Server {
	w.Helper()
	l, err := w.net.Listen(host)
	if err != nil {
		w.Fatal(err)
	}
	o.Listener = l
	srv, err := wstest.Start(&o)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { srv.Close() })
	return srv
}

// play starts a peer that follows scripts.
func (w *world) play(scripts ...wstest.Script) *wstest.Peer {
	w.Helper()
	l, err := w.net.Listen(host)
	if err != nil {
		w.Fatal(err)
	}
	peer, err := wstest.Play(&wstest.PeerOptions{Listener: l}, scripts...)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { peer.Close() })
	return peer
}

// manager makes a manager of the host, closed at the end of the test.
func (w *world) manager(o wsclient.Options) *wsclient.Manager {
	w.Helper()
	if o.Dial.DialContext == nil {
		o.Dial.DialContext = w.net.DialContext
	}
	o.Dial.Proxy = noProxy
	w.log.listen(&o.Hooks)
	m, err := wsclient.New("ws://"+host+"/feed", &o)
	if err != nil {
		w.Fatal(err)
	}
	w.log.m = m
	w.Cleanup(func() { m.Close() })
	return m
}

// connect makes a manager and connects it.
func (w *world) connect(o wsclient.Options) *wsclient.Manager {
	w.Helper()
	m := w.manager(o)
	if err := m.Connect(w.Context()); err != nil {
		w.Fatal(err)
	}
	synctest.Wait()
	return m
}

// inState fails the test unless the manager is in a state.
func (w *world) inState(m *wsclient.Manager, want wsclient.State) {
	w.Helper()
	synctest.Wait()
	if got := m.State(); got != want {
		w.Fatalf("state is %v, want %v", got, want)
	}
}

// open returns how many connections are open at the manager's end.
func (w *world) open() (n int) {
	for _, l := range w.net.Links() {
		if !l.State().DialerClosed {
			n++
		}
	}
	return n
}

// upgraded runs a script after the upgrade.
func upgraded(script wstest.Script) wstest.Script {
	return func(s *wstest.Session) error {
		if err := s.Upgrade(nil); err != nil {
			return err
		}
		return script(s)
	}
}

func discard(s *wstest.Session) error { return s.Discard() }

func hold(s *wstest.Session) error { return s.Hold() }

// idle is the handler of a server that reads and says nothing.
func idle(c *wsconn.Conn) {
	for {
		if _, _, err := c.Read(nil); err != nil {
			return
		}
	}
}

// want fails the test unless err is of type E, and of this module.
func want[E error](tb testing.TB, err error) E {
	tb.Helper()
	e, ok := errors.AsType[E](err)
	if !ok {
		tb.Fatalf("error is %T: %v, want %T", err, err, e)
	}
	if !errors.Is(err, wsclient.Err) {
		tb.Errorf("%v does not match wsclient.Err", err)
	}
	return e
}

// journal writes down what hooks say.
type journal struct {
	m     *wsclient.Manager
	began time.Time

	mu      sync.Mutex
	entries []string // names of hooks, and states
	times   []time.Duration
	states  []wsclient.State
	losses  []wsclient.DisconnectInfo
	gained  []wsclient.ConnectInfo
	failed  []wsclient.AttemptFailure
	gaveUp  []error
}

func (j *journal) note(entry string) {
	j.entries = append(j.entries, entry)
	j.times = append(j.times, time.Since(j.began))
}

// listen adds the journal to hooks.
func (j *journal) listen(h *wsclient.Hooks) {
	lock := func(entry string) func() {
		j.mu.Lock()
		j.note(entry)
		return j.mu.Unlock
	}
	change, connect, disconnect := h.OnStateChange, h.OnConnect, h.OnDisconnect
	attempt, failed, giveUp := h.OnAttempt, h.OnAttemptFailed, h.OnGiveUp
	h.OnStateChange = func(c wsclient.StateChange) {
		unlock := lock(c.To.String())
		j.states = append(j.states, c.To)
		unlock()
		if change != nil {
			change(c)
		}
	}
	h.OnAttempt = func(a wsclient.Attempt) {
		lock("attempt")()
		if attempt != nil {
			attempt(a)
		}
	}
	h.OnAttemptFailed = func(f wsclient.AttemptFailure) {
		unlock := lock("failed")
		j.failed = append(j.failed, f)
		unlock()
		if failed != nil {
			failed(f)
		}
	}
	h.OnConnect = func(i wsclient.ConnectInfo) {
		unlock := lock("connect")
		j.gained = append(j.gained, i)
		unlock()
		if connect != nil {
			connect(i)
		}
	}
	h.OnDisconnect = func(i wsclient.DisconnectInfo) {
		unlock := lock("disconnect")
		j.losses = append(j.losses, i)
		unlock()
		if disconnect != nil {
			disconnect(i)
		}
	}
	h.OnGiveUp = func(err error) {
		unlock := lock("give up")
		j.gaveUp = append(j.gaveUp, err)
		unlock()
		if giveUp != nil {
			giveUp(err)
		}
	}
}

// at returns when entries of that name were made, since the beginning.
func (j *journal) at(entry string) []time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	var times []time.Duration
	for i, e := range j.entries {
		if e == entry {
			times = append(times, j.times[i])
		}
	}
	return times
}

// seen returns the states so far.
func (j *journal) seen() []wsclient.State {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]wsclient.State(nil), j.states...)
}

// lost returns the losses so far.
func (j *journal) lost() []wsclient.DisconnectInfo {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]wsclient.DisconnectInfo(nil), j.losses...)
}
