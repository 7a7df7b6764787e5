package pikvm_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// FuzzEnvelope checks that no body makes the decoder panic, that what it takes is an envelope, and that what it
// takes comes out again as it went in.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{
		okEmpty, forbidden, atxBusy, atxOn, "", "null", "[]", "{}", `{"ok":null}`, `{"ok":true,"ok":false}`, `{"OK":true}`,
		`{"ok":false,"result":{"error":1}}`, `{"ok":true,"result":`, "\xff", `{"ok":false,"result":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ok, result, code, message, err := pikvm.DecodeEnvelope(body)
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatalf("took %q, which is no JSON", body)
		}
		if result != nil && !json.Valid(result) {
			t.Fatalf("result of %q is %q, which is no JSON", body, result)
		}
		if !utf8.ValidString(code) || !utf8.ValidString(message) {
			t.Fatalf("refusal of %q is %q, %q", body, code, message)
		}
		if result == nil {
			return
		}
		again, err := json.Marshal(map[string]any{"ok": ok, "result": result})
		if err != nil {
			t.Fatal(err)
		}
		ok2, _, code2, message2, err := pikvm.DecodeEnvelope(again)
		if err != nil || ok2 != ok || code2 != code || message2 != message {
			t.Fatalf("%q is %t, %q, %q, but %t, %q, %q, %v when written again", body, ok, code, message, ok2, code2, message2, err)
		}
	})
}

// FuzzAnswer checks that whatever a device answers, a call ends with a typed error of the module or a state.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{okEmpty, forbidden, atxBusy, atxOn, "", "<title>502 Bad Gateway</title>", "\x00\xff"} {
		for _, status := range []uint16{200, 204, 302, 400, 401, 403, 409, 502, 503, 700} {
			f.Add(status, "application/json", []byte(seed))
			f.Add(status, "text/html", []byte(seed))
			f.Add(status, "text/plain", []byte(seed))
		}
	}
	network := netem.New(nil)
	l, err := network.Listen("kvm.example:80")
	if err != nil {
		f.Fatal(err)
	}
	var status int
	var kind string
	var body []byte
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{kind}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // it ends with the test
	}()
	c, err := pikvm.New(kvmHTTP, on(network, pikvm.Options{Password: "hunter2hunter2"}))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		_ = c.Close()
		_ = server.Close()
		<-done
	})
	f.Fuzz(func(t *testing.T, code uint16, contentType string, content []byte) {
		status, kind, body = 200+int(code)%600, contentType, content
		state, err := c.ATX.State(t.Context())
		if err == nil {
			if state == nil || !json.Valid(state.Raw) {
				t.Fatalf("state of %q is %+v", content, state)
			}
			return
		}
		if _, ok := errors.AsType[errkit.Error](err); !ok || !errors.Is(err, pikvm.Err) {
			t.Fatalf("error of %q is %T: %v", content, err, err)
		}
		if text := err.Error(); len(text) > 1024 || !utf8.ValidString(text) {
			t.Fatalf("text is %q", text)
		}
	})
}

// FuzzStates checks that no state makes a decoder panic.
func FuzzStates(f *testing.F) {
	for _, seed := range []string{
		`{"enabled": true, "busy": true, "leds": {"power": true, "hdd": true}, "acts": {"power": 1e99}}`,
		`{"hw": {"health": {"temp": {"cpu": 1}}, "platform": {}}, "system": {"kvmd": {"version": "4.197"}}}`,
		`{"extras": {"a": {"port": 1e400}}, "uptime": {"total": -1e300}}`, `{"health": {"throttling": {"raw_flags": -1}}}`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var atx pikvm.ATXState
		if json.Unmarshal(text, &atx) == nil && string(text) != "null" && !json.Valid(atx.Raw) {
			t.Fatalf("raw state of %q is %q", text, atx.Raw)
		}
		var info pikvm.InfoState
		if json.Unmarshal(text, &info) == nil && string(text) != "null" && info.Raw == nil {
			t.Fatalf("info of %q has no raw parts", text)
		}
	})
}
