package pikvmtest_test

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

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestFaultsThatAnswer shows the faults that act instead of the device.
func TestFaultsThatAnswer(t *testing.T) {
	t.Parallel()
	type outcome struct {
		Status            int
		ContentType, Body string
		RetryAfter        string
	}
	const page = "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n<center><h1>504 Gateway Time-out</h1>" +
		"</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
	for _, tc := range []struct {
		name  string
		fault pikvmtest.Fault
		want  outcome
	}{
		{
			"answer",
			pikvmtest.Fault{
				Kind: pikvmtest.FaultAnswer, Status: 503, Body: []byte(`{"ok": false}`),
				Header: http.Header{"Retry-After": {"7"}},
			},
			outcome{503, "application/json; charset=utf-8", `{"ok": false}`, "7"},
		},
		{
			"answer of another type",
			pikvmtest.Fault{
				Kind: pikvmtest.FaultAnswer, Body: []byte("[]"), Header: http.Header{"Content-Type": {"text/x"}},
			},
			outcome{200, "text/x", "[]", ""},
		},
		{"page", pikvmtest.Fault{Kind: pikvmtest.FaultPage, Status: 504}, outcome{504, "text/html", page, ""}},
		{
			"garbage of one's own",
			pikvmtest.Fault{Kind: pikvmtest.FaultGarbage, Body: []byte("}{")},
			outcome{200, "application/json; charset=utf-8", "}{", ""},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := start(t, nil)
			k.Inject(tc.fault)
			a := k.do("POST", "/api/atx/click?button=power")
			got := outcome{a.Status, a.ContentType, a.Body, a.Header.Get("Retry-After")}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("answer (-want +got):\n%s", d)
			}
			if log := k.PowerLog(); len(log) != 0 {
				t.Errorf("the device has acted: %v", log)
			}
		})
	}
	t.Run("garbage", func(t *testing.T) {
		k := start(t, nil)
		k.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultGarbage})
		if a := k.do("GET", "/api/info"); a.Status != 200 || json.Valid([]byte(a.Body)) {
			t.Errorf("%d %q, want 200 and broken JSON", a.Status, a.Body)
		}
	})
}

// TestFaultsThatCut shows the faults that leave the client without an answer, over HTTP/1.1 and HTTP/2, and whether the
// device has acted.
func TestFaultsThatCut(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault pikvmtest.Fault
		acted bool
	}{
		{"reset", pikvmtest.Fault{Kind: pikvmtest.FaultReset}, false},
		{"lost", pikvmtest.Fault{Kind: pikvmtest.FaultLost}, true},
		{"truncate", pikvmtest.Fault{Kind: pikvmtest.FaultTruncate, Bytes: 10}, true},
		{"truncate to nothing", pikvmtest.Fault{Kind: pikvmtest.FaultTruncate}, true},
	} {
		for _, h2 := range []bool{false, true} {
			name := tc.name + " over HTTP/1.1"
			if h2 {
				name = tc.name + " over HTTP/2"
			}
			t.Run(name, func(t *testing.T) {
				k := start(t, &pikvmtest.Options{TLS: true})
				k.http.Transport.(*http.Transport).ForceAttemptHTTP2 = h2
				tc.fault.Times = 1
				fault := k.Inject(tc.fault)
				a, err := k.try("POST", "/api/atx/click?button=power")
				if err == nil {
					t.Fatalf("answer %+v, want an error", a)
				}
				if want := tc.fault.Bytes; len(a.Body) != want {
					t.Errorf("%d bytes of the body came, want %d", len(a.Body), want)
				}
				if acted := len(k.PowerLog()) > 0; acted != tc.acted {
					t.Errorf("the device acted: %v, want %v", acted, tc.acted)
				}
				if fault.Hits() != 1 {
					t.Errorf("%d hits", fault.Hits())
				}
				if got := k.do("GET", "/api/atx").Status; got != 200 {
					t.Errorf("the next request: %d", got)
				}
			})
		}
	}
}

func TestFaultResetIsReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		k.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultReset})
		if _, err := k.try("POST", "/api/atx/click?button=power"); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("error %v, want ECONNRESET", err)
		}
	})
}

func TestFaultHangAndDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		k.Inject(pikvmtest.Fault{Path: "/api/info", Delay: 20 * time.Second, Times: 1})
		begin := time.Now()
		if got := k.do("GET", "/api/info").Status; got != 200 || time.Since(begin) != 20*time.Second {
			t.Errorf("%d after %v, want 200 after 20s", got, time.Since(begin))
		}
		k.Inject(pikvmtest.Fault{Path: "/api/info", Kind: pikvmtest.FaultPage, Status: 504, Delay: time.Minute, Times: 1})
		begin = time.Now()
		if got := k.do("GET", "/api/info").Status; got != 504 || time.Since(begin) != time.Minute {
			t.Errorf("%d after %v, want 504 after 1m", got, time.Since(begin))
		}
		k.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultHang})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := k.try("GET", "/api/info", within(ctx)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the deadline of the client", err)
		}
	})
}

// TestCloseDuringFaults shows that Close lets go of requests that hang, wait or trickle.
func TestCloseDuringFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range []pikvmtest.Fault{
		{Kind: pikvmtest.FaultHang},
		{Delay: time.Hour},
		{Kind: pikvmtest.FaultSlow, Interval: time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := startInMemory(t, nil)
			injected := k.Inject(fault)
			failed := make(chan error, 1)
			go func() {
				_, err := k.try("GET", "/api/info")
				failed <- err
			}()
			synctest.Wait()
			if injected.Hits() != 1 {
				t.Fatal("the request is not there yet")
			}
			_ = k.Close()
			if err := <-failed; err == nil {
				t.Error("an answer")
			}
		})
	}
}

func TestFaultSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		want := k.do("GET", "/api/auth/check")
		k.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultSlow, Bytes: 5, Interval: time.Second})
		begin := time.Now()
		got := k.do("GET", "/api/auth/check")
		if d := cmp.Diff(want.Body, got.Body); d != "" {
			t.Errorf("body (-want +got):\n%s", d)
		}
		if took, want := time.Since(begin), time.Duration((len(got.Body)-1)/5)*time.Second; took != want {
			t.Errorf("took %v, want %v", took, want)
		}
	})
}

func TestFaultOversize(t *testing.T) {
	t.Parallel()
	k := start(t, nil)
	k.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultOversize, Bytes: 1 << 20})
	a := k.do("GET", "/api/atx")
	if len(a.Body) != 1<<20 || !json.Valid([]byte(a.Body)) {
		t.Errorf("%d bytes, valid JSON: %v", len(a.Body), json.Valid([]byte(a.Body)))
	}
}

// TestFaultMatching shows which requests a fault takes.
func TestFaultMatching(t *testing.T) {
	t.Parallel()
	k := start(t, nil)
	teapot := func(f pikvmtest.Fault) *pikvmtest.Injected {
		f.Kind, f.Status = pikvmtest.FaultAnswer, 418
		return k.Inject(f)
	}
	statuses := func(calls ...string) []int {
		var out []int
		for _, call := range calls {
			method, path, _ := strings.Cut(call, " ")
			out = append(out, k.do(method, path).Status)
		}
		return out
	}
	for _, tc := range []struct {
		name  string
		fault pikvmtest.Fault
		calls []string
		want  []int
		hits  int
	}{
		{"exact path", pikvmtest.Fault{Path: "/api/atx"}, []string{"GET /api/atx?x=1", "GET /api/info", "GET /api/atx/power"}, []int{418, 200, 405}, 1},
		{"prefix", pikvmtest.Fault{Path: "/api/a*"}, []string{"GET /api/atx", "GET /api/info", "GET /api/auth/check"}, []int{418, 200, 418}, 2},
		{"method", pikvmtest.Fault{Method: "POST"}, []string{"GET /api/atx", "POST /api/auth/logout"}, []int{200, 418}, 1},
		{"next two", pikvmtest.Fault{Times: 2}, []string{"GET /api/atx", "GET /api/atx", "GET /api/atx"}, []int{418, 418, 200}, 2},
		{"skip one", pikvmtest.Fault{Skip: 1, Times: 1}, []string{"GET /api/atx", "GET /api/atx", "GET /api/atx"}, []int{200, 418, 200}, 1},
		{"all", pikvmtest.Fault{}, []string{"GET /api/atx", "GET /", "GET /api/nope"}, []int{418, 418, 418}, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			injected := teapot(tc.fault)
			if d := cmp.Diff(tc.want, statuses(tc.calls...)); d != "" {
				t.Errorf("statuses (-want +got):\n%s", d)
			}
			if injected.Hits() != tc.hits {
				t.Errorf("%d hits, want %d", injected.Hits(), tc.hits)
			}
			injected.Remove()
			if got := statuses("GET /api/atx"); got[0] != 200 {
				t.Errorf("after Remove: %d", got[0])
			}
		})
	}
	t.Run("the oldest first", func(t *testing.T) {
		a, b := teapot(pikvmtest.Fault{Times: 1}), teapot(pikvmtest.Fault{})
		statuses("GET /api/atx", "GET /api/atx")
		if a.Hits() != 1 || b.Hits() != 1 {
			t.Errorf("%d and %d hits", a.Hits(), b.Hits())
		}
		k.ClearFaults()
		if got := statuses("GET /api/atx"); got[0] != 200 {
			t.Errorf("after ClearFaults: %d", got[0])
		}
	})
}

// TestRequests shows what is kept about requests.
func TestRequests(t *testing.T) {
	t.Parallel()
	k := start(t, nil)
	k.do("GET", "/api/info?fields=auth&fields=node")
	k.do("POST", "/api/auth/login", anonymous, form("user", "admin", "passwd", "x"))
	k.do("POST", "/api/hid/print", body("text/plain", "not kept"))
	k.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultReset, Times: 1})
	_, err := k.try("POST", "/api/atx/click")
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	type entry struct {
		Method, Path, Fields, User, Body string
		Status                           int
	}
	var got []entry
	for _, r := range k.Requests() {
		got = append(got, entry{r.Method, r.Path, r.Query.Get("fields"), r.Header.Get("X-KVMD-User"), string(r.Body), r.Status})
		if r.Time.IsZero() || r.Remote == "" {
			t.Errorf("request without time or address: %+v", r)
		}
	}
	want := []entry{
		{"GET", "/api/info", "auth", "admin", "", 200},
		{"POST", "/api/auth/login", "", "", "passwd=x&user=admin", 403},
		{"POST", "/api/hid/print", "", "admin", "", 200},
		{"POST", "/api/atx/click", "", "admin", "", 0},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
	k.ClearRequests()
	if got := k.Requests(); len(got) != 0 {
		t.Errorf("after ClearRequests: %v", got)
	}
}
