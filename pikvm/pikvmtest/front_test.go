package pikvmtest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

const html = "text/html"

func TestRouter(t *testing.T) {
	t.Parallel()
	k := start(t, nil)
	type outcome struct {
		Status                             int
		ContentType, Body, Location, Allow string
	}
	const text = "text/plain; charset=utf-8"
	for _, tc := range []struct {
		name, method, path string
		want               outcome
	}{
		{"unknown", "GET", "/api/nope", outcome{404, text, "404: Not Found", "", ""}},
		{"unknown below a resource", "GET", "/api/atx/nope", outcome{404, text, "404: Not Found", "", ""}},
		{"unknown with a slash", "GET", "/api/nope/", outcome{404, text, "404: Not Found", "", ""}},
		{"nothing", "GET", "/api/", outcome{404, text, "404: Not Found", "", ""}},
		{"later endpoint", "POST", "/api/hid/nope", outcome{404, text, "404: Not Found", "", ""}},
		{"case matters", "GET", "/api/ATX", outcome{404, text, "404: Not Found", "", ""}},
		{"redfish", "GET", "/redfish/v2", outcome{404, text, "404: Not Found", "", ""}},
		{"redfish action", "POST", "/redfish/v1/Systems/0/Actions/ComputerSystem.SetDefaultBootOrder", outcome{404, text, "404: Not Found", "", ""}},
		{"wrong method", "POST", "/api/atx", outcome{405, text, "405: Method Not Allowed", "", "GET"}},
		{"head", "HEAD", "/api/atx", outcome{405, text, "", "", "GET"}},
		{"trailing slash", "GET", "/api/atx/", outcome{308, text, "308: Permanent Redirect", "/api/atx", ""}},
		{"trailing slashes", "GET", "/api/atx//", outcome{308, text, "308: Permanent Redirect", "/api/atx", ""}},
		{"doubled slash with query", "POST", "/api/atx//power?action=on&wait=1", outcome{308, text, "308: Permanent Redirect", "/api/atx/power?action=on&wait=1", ""}},
		{"slash and wrong method", "POST", "/api/atx/", outcome{404, text, "404: Not Found", "", ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := *k
			k.t = t
			a := k.do(tc.method, tc.path, anonymous)
			got := outcome{a.Status, a.ContentType, a.Body, a.Header.Get("Location"), a.Header.Get("Allow")}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("answer (-want +got):\n%s", d)
			}
		})
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	k := start(t, nil)
	chunked := func(n int) func(*http.Request) {
		return func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", n)))
			r.ContentLength = -1
		}
	}
	for _, tc := range []struct {
		name   string
		path   string
		body   func(*http.Request)
		status int
	}{
		{"at the limit", "/api/atx/click?button=reset", body("text/plain", strings.Repeat("x", 4096)), 200},
		{"above", "/api/atx/click?button=power", body("text/plain", strings.Repeat("x", 4097)), 413},
		{"chunked at the limit", "/api/auth/login", chunked(4096), 400},
		{"chunked above", "/api/auth/login", chunked(4097), 413},
		{"not for prints", "/api/hid/print", body("text/plain", strings.Repeat("x", 9000)), 200},
		{"not for uploads", "/api/msd/write?image=a.img", body("text/plain", strings.Repeat("x", 9000)), 200},
		{"before authentication", "/api/nope", chunked(5000), 413},
		{"elsewhere too", "/login", chunked(5000), 413},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := *k
			k.t = t
			a := k.do("POST", tc.path, tc.body)
			if a.Status != tc.status {
				t.Errorf("status %d, want %d", a.Status, tc.status)
			}
			if a.Status == 413 && (a.ContentType != html || !strings.Contains(a.Body, "<h1>413 Request Entity Too Large</h1>")) {
				t.Errorf("not a page: %s %q", a.ContentType, a.Body)
			}
		})
	}
	if len(k.PowerLog()) != 1 { // the reset; its release may follow later
		if log := k.PowerLog(); log[0].Kind != pikvmtest.ResetPressed {
			t.Errorf("power log %v: an oversize request got through", log)
		}
	}
}

// TestGuarded shows the daemons whose credentials the web server checks, with its own pages.
func TestGuarded(t *testing.T) {
	t.Parallel()
	k := start(t, &pikvmtest.Options{Media: pikvmtest.MediaOptions{Absent: true}})
	for _, tc := range []struct {
		name, path string
		who        func(*http.Request)
		status     int
		title      string
	}{
		{"video without credentials", "/streamer/stream", anonymous, 401, "401 Unauthorized"},
		{"video with wrong ones", "/streamer/state", as("admin", "x"), 403, "403 Forbidden"},
		{"video with illegal ones", "/streamer/state", as("Admin!", "x"), 500, "500 Internal Server Error"},
		{"video while stopped", "/streamer/snapshot", as("admin", "admin"), 502, "502 Bad Gateway"},
		{"media without credentials", "/api/media", anonymous, 401, "401 Unauthorized"},
		{"media socket", "/api/media/ws", as("admin", "x"), 403, "403 Forbidden"},
		{"media absent", "/api/media", as("admin", "admin"), 502, "502 Bad Gateway"},
		{"janus", "/janus/ws", as("admin", "admin"), 502, "502 Bad Gateway"},
		{"web UI", "/", anonymous, 302, "302 Moved Temporarily"},
		{"web UI with wrong credentials", "/kvm/", as("admin", "x"), 302, "302 Moved Temporarily"},
		{"web UI with illegal ones", "/kvm/", as("Admin!", "x"), 500, "500 Internal Server Error"},
		{"web UI inside", "/", as("admin", "admin"), 200, "PiKVM Index"},
		{"login page", "/login", anonymous, 200, "PiKVM Login"},
		{"base URL one level too deep", "/kvm/api/atx", as("admin", "admin"), 404, "404 Not Found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := *k
			k.t = t
			a := k.do("GET", tc.path, tc.who)
			if a.Status != tc.status || a.ContentType != html || !strings.Contains(a.Body, "<title>"+tc.title+"</title>") {
				t.Errorf("%d %s %q, want %d and the page %q", a.Status, a.ContentType, a.Body, tc.status, tc.title)
			}
			if location := a.Header.Get("Location"); (a.Status == 302) != (location == "/login") {
				t.Errorf("Location %q", location)
			}
		})
	}
}

func TestDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		status := func(path string) int { return k.do("GET", path).Status }
		k.SetDown(3 * time.Second)
		a := k.do("GET", "/api/atx")
		if a.Status != 502 || a.ContentType != html || !strings.Contains(a.Body, "502 Bad Gateway") {
			t.Errorf("API: %+v", a)
		}
		if got := status("/streamer/state"); got != 500 {
			t.Errorf("video: %d, want 500 as the credentials cannot be checked", got)
		}
		time.Sleep(3 * time.Second)
		if got := status("/api/atx"); got != 200 {
			t.Errorf("after the window: %d", got)
		}
		k.SetDown(-1)
		time.Sleep(time.Hour)
		if got := status("/api/atx"); got != 502 {
			t.Errorf("down until further notice: %d", got)
		}
		k.SetDown(0)
		if got := status("/api/atx"); got != 200 {
			t.Errorf("up again: %d", got)
		}
	})
}

func TestPlainRedirect(t *testing.T) {
	t.Parallel()
	k := start(t, &pikvmtest.Options{TLS: true, PlainRedirect: true})
	resp, err := k.http.Get(k.PlainURL() + "/api/info?fields=auth")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := k.URL() + "/api/info?fields=auth"; resp.StatusCode != 301 || resp.Header.Get("Location") != want {
		t.Errorf("%d to %q, want 301 to %q", resp.StatusCode, resp.Header.Get("Location"), want)
	}
	if !strings.Contains(string(page), "301 Moved Permanently") {
		t.Errorf("page %q", page)
	}
}

// TestRawRequest sends what curl sends and reads the bytes of the answer: the envelope is printed with four spaces and
// sorted keys.
func TestRawRequest(t *testing.T) {
	t.Parallel()
	k := start(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(k.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /api/atx HTTP/1.1\r\nHost: kvm\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"+
		"X-KVMD-User: admin\r\nX-KVMD-Passwd: admin\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	want := `{
    "ok": true,
    "result": {
        "acts": {
            "power": false,
            "reset": false
        },
        "busy": false,
        "enabled": true,
        "leds": {
            "hdd": false,
            "power": false
        }
    }
}`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("body (-want +got):\n%s", d)
	}
	if got := resp.Header.Get("Server"); got != "nginx" {
		t.Errorf("Server %q", got)
	}
	if h := resp.Header.Get("WWW-Authenticate"); h != "" {
		t.Errorf("WWW-Authenticate %q, devices send none", h)
	}
}
