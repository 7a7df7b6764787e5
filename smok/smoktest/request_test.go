package smoktest_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const certificateHeader = "X-SSL-Client-Certificate"

func TestIdentity(t *testing.T) {
	t.Parallel()
	dialer := (&net.Dialer{}).DialContext
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain=%v", plain), func(t *testing.T) {
			t.Parallel()
			hub := start(t, smoktest.Options{PlainHTTP: plain})
			p := newPeer(t, hub, dialer)
			p.refused("GET", "/v1/device", nil, http.StatusUnauthorized)
			_, known := issue(t, hub, ngtttest.Device{ID: "header"})
			_, foreign := issue(t, hub, ngtttest.Device{ID: "header", Foreign: true})
			_, expired := issue(t, hub, ngtttest.Device{ID: "header", NotAfter: time.Unix(0, 0)})
			_, nameless := issue(t, hub, ngtttest.Device{})
			for _, test := range []struct {
				name, text string
				status     int
			}{
				{"with a dump before it", "Certificate:\n  Data:\n" + string(known), 200},
				{"without the last newline", strings.TrimSpace(string(known)), 200},
				{"foreign", string(foreign), 403},
				{"expired", string(expired), 403},
				{"without an id", string(nameless), 403},
				{"the authority", string(hub.AuthorityPEM()), 403},
				{"no PEM", "certificate", 401},
				{"no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 401},
				{"another block", strings.ReplaceAll(string(known), "CERTIFICATE", "PRIVATE KEY"), 401},
			} {
				p.header.Set(certificateHeader, strings.ReplaceAll(test.text, "\n", "\t"))
				if status, answer := p.do("GET", "/v1/device", nil); status != test.status {
					t.Errorf("%s: %d %v", test.name, status, answer)
				}
			}
			last := hub.Requests()[1]
			if last.Device != "header" || !last.ByHeader {
				t.Errorf("%+v", last)
			}
		})
	}
	t.Run("handshake", func(t *testing.T) {
		t.Parallel()
		hub := start(t, smoktest.Options{})
		p := connect(t, hub, "handshake")
		_, other := issue(t, hub, ngtttest.Device{ID: "header"})
		p.header.Set(certificateHeader, strings.ReplaceAll(string(other), "\n", "\t"))
		if _, answer := p.do("GET", "/v1/device", nil); answer.(map[string]any)["device_id"] != "handshake" {
			t.Errorf("the header wins: %v", answer)
		}
		foreign, _ := issue(t, hub, ngtttest.Device{ID: "x", Foreign: true})
		newPeer(t, hub, dialer, foreign).refused("GET", "/v1/device", nil, http.StatusUnauthorized) // package tls does not send it
		config := &tls.Config{RootCAs: hub.RootCAs(), ServerName: hub.ServerName(), MaxVersion: tls.VersionTLS12}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &foreign, nil }
		conn, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", strings.TrimPrefix(hub.URL(), "https://"))
		if err == nil {
			_ = conn.Close()
			t.Error("a foreign certificate in the handshake")
		}
		nameless, _ := issue(t, hub, ngtttest.Device{})
		newPeer(t, hub, dialer, nameless).refused("GET", "/v1/device", nil, http.StatusForbidden)
	})
}

func TestEndpointsTakeWhatTheyShould(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{MaxBody: 1000})
	p := connect(t, hub, "pump")
	for _, test := range []struct {
		method, path string
		body         any
		contentType  string
		status       int
	}{
		{"GET", "/", nil, "", 404},
		{"GET", "/v1/device/", nil, "", 404},
		{"GET", "/v1/device/unknown", nil, "", 404},
		{"GET", "/v1/device/baobs/", nil, "", 404},
		{"GET", "/v1/device/baobs/a/b", nil, "", 404},
		{"POST", "/v1/device", nil, "", 405},
		{"PATCH", pathpoints, nil, "", 405},
		{"GET", "/v1/device", list{}, "", 400},
		{"POST", orders, list{}, "", 400},
		{"POST", pathpoints, nil, "application/minijson", 400},
		{"POST", pathpoints, []byte("[]"), "application/json", 415},
		{"POST", pathpoints, []byte{0x40}, "text/plain", 415},
		{"POST", pathpoints, []byte{0x40}, "application/minijson; x=y", 200},
		{"POST", pathpoints, []byte("\x52\x01a\x02\x01a\x02"), "application/minijson", 400}, // a key twice
		{"POST", pathpoints, make([]byte, 1001), "application/minijson", 413},
	} {
		q := *p
		q.header = http.Header{}
		if test.contentType != "" {
			q.header.Set("Content-Type", test.contentType)
		}
		if status, answer := q.do(test.method, test.path, test.body); status != test.status {
			t.Errorf("%s %s %v: %d %v, want %d", test.method, test.path, test.body, status, answer, test.status)
		}
	}
}

func TestMiniJSONAnswers(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{MiniJSONAnswers: true})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	pump.SetMetadata("k", "v", time.Unix(5, 0))
	enqueue(t, pump, section(smoktest.Write("f1", 2.0)))
	for path, want := range map[string]any{
		"GET /v1/device/metadata/plain/k": object{"value": "v", "timestamp": int64(5)},
		"GET /v1/device/metadata/plain/x": object{"status": "no such key"},
		"POST " + orders: list{
			object{"disposition": int64(0), "orders": list{object{"type": "write", "path": "f1", "value": 2.0}}},
		},
	} {
		method, path, _ := strings.Cut(path, " ")
		resp, body, err := p.exchange(method, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := minijson.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" || resp.Header.Get("Content-Type") != "application/minijson" {
			t.Errorf("%s: %v (-want +got):\n%s", path, resp.Header, d)
		}
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	seen := make(chan smoktest.Request, 10)
	hub := start(t, smoktest.Options{OnRequest: func(r smoktest.Request) { seen <- r }})
	p := connect(t, hub, "pump")
	p.want("POST", pathpoints, series("W1", list{1, 1}), `{}`)
	p.refused("POST", pathpoints, []byte("not MiniJSON"), http.StatusBadRequest)
	p.refused("GET", "/v1/device/metadata/plain/a%2Fb", nil, http.StatusNotFound)
	uploadVersion(p, "key", "x", 1)
	newPeer(t, hub, (&net.Dialer{}).DialContext).refused("GET", "/v1/device?x=y", nil, http.StatusUnauthorized)

	type line struct {
		Number               uint64
		Device, Method, Path string
		JSON                 string
		Status               int
		Effect               bool
	}
	var got, heard []line
	of := func(r smoktest.Request) line {
		text := string(r.JSON())
		if r.Method == "PUT" {
			text = fmt.Sprint(strings.Contains(text, `{\"version\":1}`))
		}
		return line{r.Number, r.Device, r.Method, r.Path, text, r.Status, r.Effect}
	}
	for _, r := range hub.Requests() {
		got = append(got, of(r))
		heard = append(heard, of(<-seen))
	}
	want := []line{
		{1, "pump", "POST", pathpoints, `[{"path":"W1","values":[[1,1]]}]`, 200, true},
		{2, "pump", "POST", pathpoints, `"not MiniJSON"`, 400, false},
		{3, "pump", "GET", "/v1/device/metadata/plain/a%2Fb", `null`, 404, false},
		{4, "pump", "PUT", baobs + "/key", `true`, 200, true},
		{5, "", "GET", "/v1/device", `null`, 401, false},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(want, heard); d != "" {
		t.Errorf("OnRequest (-want +got):\n%s", d)
	}
	hub.ClearRequests()
	p.want("GET", "/v1/device/sensors", nil, `[]`)
	if r := hub.Requests(); len(r) != 1 || r[0].Number != 6 {
		t.Errorf("%+v", r)
	}
}

func TestJournalIsBounded(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{PlainHTTP: true})
	p := newPeer(t, hub, (&net.Dialer{}).DialContext)
	body := make([]byte, 10<<20)
	for range 3 {
		p.refused("POST", pathpoints, body, http.StatusUnauthorized)
	}
	if r := hub.Requests(); len(r) != 1 || r[0].Number != 3 {
		t.Errorf("%d requests", len(r))
	}
}

func TestARequestThatBreaksOffIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := startInMemory(t, smoktest.Options{PlainHTTP: true})
		p := newPeer(t, hub, network.DialContext)
		network.CutAfter(netem.Up, 1000, netem.RST)
		if _, _, err := p.exchange("POST", pathpoints, make([]byte, 2000)); err == nil {
			t.Error("an answer to half a request")
		}
		synctest.Wait()
		if r := hub.Requests(); len(r) != 0 {
			t.Errorf("%+v", r)
		}
	})
}

func TestOnlyHTTP1(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	addr := strings.TrimPrefix(hub.URL(), "https://")
	conn, err := (&tls.Dialer{Config: &tls.Config{
		RootCAs: hub.RootCAs(), ServerName: hub.ServerName(), NextProtos: []string{"h2", "http/1.1"},
	}}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.(*tls.Conn).ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("negotiated %q", got)
	}
	_ = conn.Close()
}
