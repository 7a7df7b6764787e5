//go:build !js

package wsclient

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

var (
	again     = Decision{}
	giveUp    = Decision{Action: GiveUp}
	refresh   = Decision{Action: RefreshAuth}
	violation = Decision{Violation: true}
)

// closeTable says what follows from a close frame of the peer.
var closeTable = map[int]Decision{
	1000: again,
	1001: again,
	1002: violation,
	1003: violation,
	1004: again,
	1005: again,
	1006: again,
	1007: violation,
	1008: giveUp,
	1009: again,
	1010: giveUp,
	1011: again,
	1012: {MinDelay: 5 * time.Second, MaxDelay: 30 * time.Second},
	1013: {MinDelay: 5 * time.Second, NextEndpoint: true},
	1014: again,
	1015: again,
	3000: refresh,
	3003: giveUp,
	3008: again,
	3500: again,
	4000: again,
	4400: again,
	4401: refresh,
	4403: giveUp,
	4404: again,
	4499: again,
	4999: again,
}

// closedBy is how a connection ends with a close frame of the peer.
func closedBy(code int) CloseInfo {
	return closeInfo(wserr.Closed("receive", testURL, code, "why", nil), 1, testURL, time.Second)
}

func TestRC17CloseCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for code, want := range closeTable {
			c := closedBy(code)
			if d := cmp.Diff(want, DefaultClosePolicy(c)); d != "" {
				t.Errorf("%d (-want +got):\n%s", code, d)
			}
			p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{})
			p.next()
			p.connected()
			v := p.lost(c)
			if want.Action == Retry {
				if v.err != nil || v.delay < want.MinDelay || want.MaxDelay > 0 && v.delay > want.MaxDelay {
					t.Errorf("%d: %+v", code, v)
				}
				continue
			}
			e, ok := errors.AsType[*ReconnectError](v.err)
			if !ok || !e.Terminal || e.Disabled || e.Attempts != 0 || e.Outage != 1 {
				t.Errorf("%d: %#v", code, v.err)
			}
			if closed, ok := errors.AsType[*ClosedError](v.err); !ok || closed.Code != code || closed.Reason != "why" {
				t.Errorf("%d: %#v", code, v.err)
			}
		}
	})
}

func TestRC18ServiceRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shortest, longest := time.Hour, time.Duration(0)
		for range 1000 {
			p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{})
			p.next()
			p.connected()
			d := p.lost(closedBy(1012)).delay
			shortest, longest = min(shortest, d), max(longest, d)
		}
		if shortest < 5*time.Second || shortest > 6*time.Second || longest > 30*time.Second || longest < 29*time.Second {
			t.Errorf("delays from %v to %v, want all of 5 s to 30 s", shortest, longest)
		}
		p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{Backoff: retry.Backoff{
			Base: time.Hour, Cap: time.Hour, Jitter: retry.JitterNone,
		}})
		p.next()
		p.connected()
		if v := p.lost(closedBy(1012)); v.delay != time.Hour {
			t.Errorf("%+v, want the backoff, which is longer", v)
		}
	})
}

// Three violations in a row end it, however they come about.
func TestViolations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours := closeInfo(violated(1002), 1, testURL, time.Second)
		tooBig := closeInfo(tooBig(), 1, testURL, time.Second)
		for name, loss := range map[string]CloseInfo{
			"1002": closedBy(1002), "1003": closedBy(1003), "1007": closedBy(1007), "ours": ours, "too big": tooBig,
		} {
			p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{})
			for n := range 3 {
				p.next()
				p.connected()
				time.Sleep(time.Second)
				err := p.lost(loss).err
				if n < 2 {
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
					continue
				}
				e, ok := errors.AsType[*ReconnectError](err)
				if _, protocol := errors.AsType[*ProtocolError](err); !ok || !protocol || !e.Terminal || e.Attempts != 2 {
					t.Errorf("%s: %#v", name, err)
				}
			}
		}

		p := mustPolicy(t, EndpointOptions{}, ReconnectOptions{MaxAttempts: Unlimited})
		for n := range 100 { // never three in a row
			p.next()
			p.connected()
			if n%2 == 1 {
				time.Sleep(time.Minute)
			}
			if v := p.lost(ours); v.err != nil {
				t.Fatalf("loss %d, every second after a minute: %v", n, v.err)
			}
		}
		p.begin()
		for n := range 100 {
			p.next()
			p.connected()
			if v := p.lost(ours); v.err != nil {
				t.Fatalf("loss %d, with other failures in between: %v", n, v.err)
			}
			if n%2 == 1 {
				p.next()
				p.failed(errRefused)
			}
		}
	})
}

func TestOnClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked CloseInfo
		options := ReconnectOptions{OnClose: func(c CloseInfo) Decision {
			asked = c
			if c.Code == 1000 {
				return Decision{MinDelay: time.Hour}
			}
			return Decision{Action: GiveUp}
		}}
		p := mustPolicy(t, EndpointOptions{}, options)
		p.next()
		p.connected()
		loss := closedBy(1000)
		if v := p.lost(loss); v.delay != time.Hour || v.err != nil || asked != loss {
			t.Errorf("%+v after %+v", v, asked)
		}
		p.next()
		p.connected()
		if v := p.lost(lossAfter(0)); v.err == nil {
			t.Error("it goes on after a loss that the policy takes for the end")
		}
		options.StopOnNormalClosure = true
		p = mustPolicy(t, EndpointOptions{}, options)
		p.next()
		p.connected()
		if e, ok := errors.AsType[*ReconnectError](p.lost(loss).err); !ok || !e.Terminal {
			t.Error("a normal closure is not the end")
		}
	})
}

func TestReadyPolicies(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]Decision{
		1000: again, 1008: again, 3000: again, 3499: again, 3500: giveUp, 3999: giveUp, 4000: again, 4499: again,
		4500: giveUp, 4999: giveUp, 5000: again,
	} {
		if got := CentrifugeClosePolicy(CloseInfo{Code: code, Remote: true}); got != want {
			t.Errorf("Centrifuge, %d: %+v, want %+v", code, got, want)
		}
	}
	for code, want := range map[int]Decision{
		1000: again, 1008: giveUp, 4000: again, 4400: giveUp, 4401: giveUp, 4402: again, 4403: giveUp, 4404: giveUp,
		4405: giveUp, 4406: giveUp, 4408: again, 4409: giveUp, 4429: again, 4500: again,
	} {
		if got := GraphQLWSClosePolicy(CloseInfo{Code: code, Remote: true}); got != want {
			t.Errorf("GraphQL, %d: %+v, want %+v", code, got, want)
		}
	}
}

func TestCloseInfo(t *testing.T) {
	t.Parallel()
	network := wserr.Closed("receive", testURL, 1006, "", errRefused)
	for _, c := range []struct {
		name string
		err  error
		want CloseInfo
	}{
		{"close frame", wserr.Closed("receive", testURL, 4000, "why", nil), CloseInfo{Code: 4000, Reason: "why", Remote: true, Why: ReasonServerClosed}},
		{"close frame without a code", wserr.Closed("receive", testURL, 1005, "", nil), CloseInfo{Code: 1005, Remote: true, Why: ReasonServerClosed}},
		{"network", network, CloseInfo{Code: 1006, Remote: true, Why: ReasonNetworkError}},
		{"no code", &ClosedError{}, CloseInfo{Code: 1006, Why: ReasonNetworkError}},
		{"bad frame", violated(1007), CloseInfo{Code: 1007, Why: ReasonProtocolError}},
		{"bad frame, nothing sent", violated(0), CloseInfo{Code: 1006, Why: ReasonProtocolError}},
		{"too big", tooBig(), CloseInfo{Code: 1009, Why: ReasonProtocolError}},
		{"ping", timedOut("ping"), CloseInfo{Code: 1006, Why: ReasonPingTimeout}},
		{"write", timedOut("send"), CloseInfo{Code: 1006, Why: ReasonWriteTimeout}},
		{"read", timedOut("receive"), CloseInfo{Code: 1006, Why: ReasonIdleTimeout}},
		{"consumer", ErrQueueFull.Wrap("receive", "", nil), CloseInfo{Code: 1006, Why: ReasonSlowConsumer}},
		{"anything", errors.New("boom"), CloseInfo{Code: 1006, Why: ReasonNetworkError}},
	} {
		c.want.Gen, c.want.Endpoint, c.want.Uptime, c.want.Err = 3, testURL, time.Minute, c.err
		got := closeInfo(c.err, 3, testURL, time.Minute)
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// violated is a connection that this side ended with a close code, because the peer broke the protocol.
func violated(code int) error {
	return &ProtocolError{Info: errkit.Info{Class: ErrProtocol, Op: "receive"}, ProtocolError: "what", CloseCode: code}
}

// tooBig is a connection that this side ended because of a message above the read limit.
func tooBig() error {
	return &MessageTooBigError{ProtocolError: ProtocolError{
		Info: errkit.Info{Class: ErrMessageTooBig, Op: "receive"}, CloseCode: 1009,
	}}
}

func timedOut(op string) error {
	e := &TimeoutError{}
	e.Op = op
	return e
}

func TestReasons(t *testing.T) {
	t.Parallel()
	proactive := map[DisconnectReason]string{
		ReasonUserRequested: "user_requested", ReasonScheduled: "scheduled", ReasonCallbackTriggered: "callback_triggered",
		ReasonConnectionLimit: "connection_limit", ReasonContextDone: "context_done", ReasonShutdown: "shutdown",
	}
	reactive := map[DisconnectReason]string{
		ReasonServerClosed: "server_closed", ReasonNetworkError: "network_error", ReasonPingTimeout: "ping_timeout",
		ReasonProtocolError: "protocol_error", ReasonKilled: "killed", ReasonIdleTimeout: "idle_timeout",
		ReasonSlowConsumer: "slow_consumer", ReasonWriteTimeout: "write_timeout",
	}
	if len(proactive)+len(reactive)+1 != len(reasonNames) {
		t.Error("a reason is missing in this test")
	}
	for r, name := range proactive {
		if r.String() != name || !r.IsProactive() || r.IsReactive() {
			t.Errorf("%v, proactive %v", r, r.IsProactive())
		}
	}
	for r, name := range reactive {
		if r.String() != name || r.IsProactive() || !r.IsReactive() {
			t.Errorf("%v, proactive %v", r, r.IsProactive())
		}
	}
	for r, name := range map[DisconnectReason]string{ReasonNone: "none", -1: "reason -1", 99: "reason 99"} {
		if r.String() != name || r.IsProactive() {
			t.Errorf("%d prints %q", r, r)
		}
	}
}

// Values that do not exist have names, too.
func TestNames(t *testing.T) {
	t.Parallel()
	got := []string{
		Retry.String(), GiveUp.String(), RefreshAuth.String(), Action(9).String(),
		Exponential.String(), Immediate.String(), Fixed.String(), Callback.String(), Strategy(9).String(),
		Ordered.String(), RoundRobin.String(), Random.String(), Order(9).String(),
	}
	want := []string{
		"retry", "give up", "refresh auth", "action 9",
		"exponential", "immediate", "fixed", "callback", "strategy 9",
		"ordered", "round robin", "random", "order 9",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
}
