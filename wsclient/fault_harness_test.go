package wsclient_test

import (
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// quick keeps tests on real sockets short.
var quick = retry.Backoff{Base: time.Millisecond, Jitter: retry.JitterNone}

// trial is a manager that is to come through a fault: connected, and watched.
type trial struct {
	*testing.T
	m      *wsclient.Manager
	gained chan wsclient.ConnectInfo
	lost   chan wsclient.DisconnectInfo
	failed chan wsclient.AttemptFailure
}

// newTrial makes a manager that is not connected yet. It is closed at the end of the test.
func newTrial(t *testing.T, url string, o wsclient.Options) *trial {
	t.Helper()
	tr := &trial{
		T: t, gained: make(chan wsclient.ConnectInfo, 1000),
		lost: make(chan wsclient.DisconnectInfo, 1000), failed: make(chan wsclient.AttemptFailure, 1000),
	}
	o.Dial.Proxy = noProxy
	o.Hooks.OnConnect = func(i wsclient.ConnectInfo) { tr.gained <- i }
	o.Hooks.OnDisconnect = func(i wsclient.DisconnectInfo) { tr.lost <- i }
	o.Hooks.OnAttemptFailed = func(f wsclient.AttemptFailure) { tr.failed <- f }
	m, err := wsclient.New(url, &o)
	if err != nil {
		t.Fatal(err)
	}
	tr.m = m
	t.Cleanup(func() { m.Close() })
	return tr
}

func (tr *trial) connect() *trial {
	tr.Helper()
	if err := tr.m.Connect(tr.Context()); err != nil {
		tr.Fatal(err)
	}
	<-tr.gained
	return tr
}

// try connects a manager on the network in memory.
func (w *world) try(o wsclient.Options) *trial {
	w.Helper()
	if o.Dial.DialContext == nil {
		o.Dial.DialContext = w.net.DialContext
	}
	return newTrial(w.T, "ws://"+host+"/feed", o)
}

// tryReal connects a manager with a peer on real sockets.
func tryReal(t *testing.T, o wsclient.Options, scripts ...wstest.Script) *trial {
	t.Helper()
	peer, err := wstest.Play(nil, scripts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	if o.Reconnect.Backoff.Base == 0 {
		o.Reconnect.Backoff = quick
	}
	return newTrial(t, peer.URL(), o).connect()
}

// loss waits for the end of the connection, and checks what does not depend on the fault.
func (tr *trial) loss(reason wsclient.DisconnectReason) wsclient.DisconnectInfo {
	tr.Helper()
	info := <-tr.lost
	c := info.Close
	if info.Reason != reason || c.Why != reason {
		tr.Errorf("reason is %v, and in Close %v, want %v: %v", info.Reason, c.Why, reason, info.Err)
	}
	if info.Err == nil || c.Err != info.Err || c.Gen == 0 || c.Endpoint != tr.m.URL() || !info.WillReconnect {
		tr.Errorf("OnDisconnect: %+v", info)
	}
	if e, ok := info.Err.(*wsclient.ClosedError); ok && (e.Gen != c.Gen || e.Code != c.Code || !e.Remote) {
		tr.Errorf("error is %+v, Close is %+v", e, c)
	}
	return info
}

// abnormal checks a loss that is the network's fault.
func (tr *trial) abnormal(cause func(error) bool) {
	tr.Helper()
	info := tr.loss(wsclient.ReasonNetworkError)
	e := want[*wsclient.ClosedError](tr, info.Err)
	if e.Code != 1006 || !cause(info.Err) {
		tr.Errorf("error is %#v: %v", e, e)
	}
}

// recovers checks that there is a new connection, which works both ways with a peer that echoes; that nothing was
// delivered in between; and that the losses so far were told once each. It closes the manager.
func (tr *trial) recovers() {
	tr.Helper()
	info := <-tr.gained
	if !info.Reconnect || info.Gen != tr.m.Stats().Generation {
		tr.Errorf("OnConnect: %+v", info)
	}
	tr.works(info.Gen)
	s := tr.m.Stats()
	if s.Connects != info.Gen || s.Disconnects != info.Gen-1 || s.ReactiveDisconnects != info.Gen-1 {
		tr.Errorf("%d connects, %d disconnects, %d of them reactive, in generation %d",
			s.Connects, s.Disconnects, s.ReactiveDisconnects, info.Gen)
	}
	tr.ends()
}

// works checks that the connection of a generation can be used both ways.
func (tr *trial) works(gen uint64) {
	tr.Helper()
	if err := tr.m.Send(tr.Context(), wsconn.Text, []byte("still there?")); err != nil {
		tr.Fatal(err)
	}
	msg, err := tr.m.Receive(tr.Context())
	if err != nil || string(msg.Data) != "still there?" || msg.Gen != gen {
		tr.Errorf("received %.100q of generation %d, %v", msg.Data, msg.Gen, err)
	}
}

// ends closes the manager and checks that this is the only loss that was not looked at.
func (tr *trial) ends() {
	tr.Helper()
	tr.m.Close()
	var losses []wsclient.DisconnectInfo
	for len(tr.lost) > 0 {
		losses = append(losses, <-tr.lost)
	}
	if len(losses) != 1 || losses[0].Reason != wsclient.ReasonUserRequested || losses[0].Err != nil {
		tr.Errorf("OnDisconnect until Close: %+v", losses)
	}
}

// delivers checks that a message arrives.
func (tr *trial) delivers(text string) {
	tr.Helper()
	msg, err := tr.m.Receive(tr.Context())
	if err != nil || string(msg.Data) != text {
		tr.Fatalf("received %.100q, %v, want %.100q", msg.Data, err, text)
	}
}

// echoes is the peer that everything is well with.
func echoes(s *wstest.Session) error {
	_ = s.Echo() // it may end in any way
	return nil
}
