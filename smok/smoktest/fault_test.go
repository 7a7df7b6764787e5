package smoktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// uploadSample is one exchange with a hub that has a fault.
func (p *peer) uploadSample(ms int) (status int, body string, header http.Header, err error) {
	p.t.Helper()
	resp, text, err := p.exchange("POST", pathpoints, series("W1", list{ms, 1}))
	if resp == nil {
		return 0, string(text), nil, err
	}
	return resp.StatusCode, string(text), resp.Header, err
}

func TestFaults(t *testing.T) {
	reset := func(err error) bool { return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) }
	cut := func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }
	for name, test := range map[string]struct {
		fault  smoktest.Fault
		effect bool
		status int
		body   string
		fails  func(error) bool
		takes  time.Duration
		header http.Header
	}{
		"delay": {
			fault: smoktest.Fault{Kind: smoktest.FaultDelay, Delay: time.Minute}, effect: true, status: 200, body: `{}`, takes: time.Minute,
		},
		"answer":        {fault: smoktest.Fault{Kind: smoktest.FaultAnswer}, status: 500, body: `{"status":"Internal Server Error"}`},
		"answer of 400": {fault: smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 400, Body: []byte("no JSON")}, status: 400, body: "no JSON"},
		"answer of 204": {fault: smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 204, Body: []byte{}}, status: 204},
		"answer late":   {fault: smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 503, Delay: time.Second}, status: 503, body: `{"status":"Service Unavailable"}`, takes: time.Second},
		"answer with retry-after": {
			fault:  smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 429, RetryAfter: 90 * time.Second, Header: http.Header{"X-A": {"b"}}},
			status: 429, body: `{"status":"Too Many Requests"}`, header: http.Header{"Retry-After": {"90"}, "X-A": {"b"}},
		},
		"answer after effect": {
			fault: smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 502, AfterEffect: true}, effect: true, status: 502, body: `{"status":"Bad Gateway"}`,
		},
		"garbage":            {fault: smoktest.Fault{Kind: smoktest.FaultGarbage}, status: 200, body: `[{"path":tru{"`},
		"garbage of a test":  {fault: smoktest.Fault{Kind: smoktest.FaultGarbage, Body: []byte("\x00")}, status: 200, body: "\x00"},
		"wrong shape":        {fault: smoktest.Fault{Kind: smoktest.FaultWrongShape, AfterEffect: true}, effect: true, status: 200, body: `null`},
		"reset":              {fault: smoktest.Fault{Kind: smoktest.FaultReset}, fails: reset},
		"reset after effect": {fault: smoktest.Fault{Kind: smoktest.FaultReset, AfterEffect: true}, effect: true, fails: reset},
		"hang":               {fault: smoktest.Fault{Kind: smoktest.FaultHang}, fails: isTimeout, takes: time.Hour},
		"hang after effect":  {fault: smoktest.Fault{Kind: smoktest.FaultHang, AfterEffect: true}, effect: true, fails: isTimeout, takes: time.Hour},
		"truncate":           {fault: smoktest.Fault{Kind: smoktest.FaultTruncate, Bytes: 1}, effect: true, status: 200, body: `{`, fails: cut},
		"slow":               {fault: smoktest.Fault{Kind: smoktest.FaultSlow, Interval: time.Second}, effect: true, status: 200, body: `{}`, takes: time.Second},
		"oversize":           {fault: smoktest.Fault{Kind: smoktest.FaultOversize, Bytes: 10}, effect: true, status: 200, body: `{}` + strings.Repeat(" ", 8)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub, network := startInMemory(t, smoktest.Options{})
				p, pump := dial(t, hub, "pump", network.DialContext), hub.Device("pump")
				p.client.Timeout = time.Hour
				test.fault.Path, test.fault.Times = pathpoints, 1
				fault := hub.Inject(test.fault)
				began := time.Now()
				status, body, header, err := p.uploadSample(1)
				if status != test.status || body != test.body || time.Since(began) != test.takes {
					t.Errorf("%d %q after %v", status, body, time.Since(began))
				}
				if (err != nil) != (test.fails != nil) || err != nil && !test.fails(err) {
					t.Errorf("%v", err)
				}
				for name, values := range test.header {
					if d := cmp.Diff(values, header[name]); d != "" {
						t.Errorf("%s (-want +got):\n%s", name, d)
					}
				}
				if got := pump.Counts().Samples == 1; got != test.effect {
					t.Errorf("effect: %v", got)
				}
				if r := hub.Requests(); len(r) != 1 || r[0].Status != test.status || r[0].Effect != test.effect {
					t.Errorf("%+v", r)
				}
				p.want("POST", pathpoints, series("W1", list{1, 1}), `{}`) // that was all
				if fault.Hits() != 1 || pump.Counts().Samples != 1 {
					t.Errorf("%d hits, %+v", fault.Hits(), pump.Counts())
				}
			})
		})
	}
}

func isTimeout(err error) bool { return errors.Is(err, context.DeadlineExceeded) }

func TestDelayAfterEffect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := startInMemory(t, smoktest.Options{})
		p := dial(t, hub, "pump", network.DialContext)
		hub.Inject(smoktest.Fault{Kind: smoktest.FaultDelay, AfterEffect: true, Delay: time.Minute})
		p.client.Timeout = time.Second
		if _, _, _, err := p.uploadSample(1); !isTimeout(err) {
			t.Error(err)
		}
		if n := hub.Device("pump").Counts().Samples; n != 1 {
			t.Errorf("%d samples", n)
		}
	})
}

func TestFaultsHitWhatTheyAreMeantFor(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	pump, valve := connect(t, hub, "pump"), connect(t, hub, "valve")
	fault := hub.Inject(smoktest.Fault{
		Kind: smoktest.FaultAnswer, Status: 503, Device: "pump", Method: "GET", Path: "/v1/device/se*", Skip: 1, Times: 2,
	})
	later := hub.Inject(smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 504, Path: "/v1/device/sensors", Times: 1, Device: "pump"})
	status := func(p *peer, method, path string) int {
		status, _ := p.do(method, path, nil)
		return status
	}
	const sensors = "/v1/device/sensors"
	got := []int{
		status(valve, "GET", sensors), status(pump, "GET", "/v1/device"), // are of another device, at another path
		status(pump, "POST", sensors), // has another method, and meets the other fault
		status(pump, "GET", sensors),  // is skipped
		status(pump, "GET", sensors), status(pump, "GET", "/v1/device/sew"), status(pump, "GET", sensors),
	}
	want := []int{200, 200, 504, 200, 503, 503, 200}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if fault.Hits() != 2 || later.Hits() != 1 {
		t.Errorf("%d and %d hits", fault.Hits(), later.Hits())
	}
	endless := hub.Inject(smoktest.Fault{Kind: smoktest.FaultAnswer})
	if s := status(pump, "GET", sensors); s != 500 {
		t.Errorf("%d", s)
	}
	endless.Remove()
	if s := status(pump, "GET", sensors); s != 200 {
		t.Errorf("%d", s)
	}
	hub.Inject(smoktest.Fault{Kind: smoktest.FaultAnswer})
	hub.ClearFaults()
	if s := status(pump, "GET", sensors); s != 200 {
		t.Errorf("%d", s)
	}
}

func TestWrongShapesComeInTurn(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p := connect(t, hub, "pump")
	hub.Inject(smoktest.Fault{Kind: smoktest.FaultWrongShape})
	shapes := smoktest.WrongShapes()
	for i := range len(shapes) + 1 {
		_, body, err := p.exchange("GET", "/v1/device", nil)
		if want := shapes[i%len(shapes)]; err != nil || string(body) != want || !json.Valid(body) {
			t.Errorf("%d: %q %v, want %q", i, body, err, want)
		}
	}
}

func TestCloseEndsWhatHangs(t *testing.T) {
	t.Parallel()
	for _, kind := range []smoktest.FaultKind{smoktest.FaultHang, smoktest.FaultDelay, smoktest.FaultSlow} {
		hub := start(t, smoktest.Options{})
		p := connect(t, hub, "pump")
		fault := hub.Inject(smoktest.Fault{Kind: kind, Delay: time.Hour, Interval: time.Hour})
		failed := make(chan error, 1)
		go func() {
			_, _, err := p.exchange("GET", "/v1/device", nil)
			failed <- err
		}()
		if err := hub.Wait(t.Context(), func() bool { return fault.Hits() == 1 }); err != nil {
			t.Fatal(err)
		}
		_ = hub.Close()
		if <-failed == nil {
			t.Errorf("kind %d: the request went on", kind)
		}
	}
}
