package pikvm_test

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// recordedInfo is what the recorded device tells of itself, in either form.
func recordedInfo() *pikvm.InfoState {
	cpu, temp, mem := 30.0, 36.511, 10.0
	total, available := int64(3788144640), int64(3410698240)
	return &pikvm.InfoState{
		Auth: &pikvm.AuthInfo{Enabled: true},
		Extras: map[string]pikvm.ExtraInfo{
			"ipmi": {
				Name: "IPMI", Description: "Show IPMI information", Icon: "share/svg/ipmi.svg", Path: "ipmi",
				Daemon: "kvmd-ipmi", Place: 21, Port: 623,
			},
			"vnc": {
				Name: "VNC", Description: "Show VNC information", Icon: "share/svg/vnc.svg", Path: "vnc",
				Daemon: "kvmd-vnc", Place: 20, Port: 5900,
			},
		},
		Fan: &pikvm.FanInfo{},
		Health: &pikvm.HealthInfo{
			CPUTemp: &temp, CPUPercent: &cpu, MemPercent: &mem, MemTotal: &total, MemAvailable: &available,
			Throttling: &pikvm.ThrottlingInfo{},
		},
		Meta: json.RawMessage(`{"server":{"host":"pikvm"}}`),
		Node: &pikvm.NodeInfo{Host: "pikvm"},
		System: &pikvm.SystemInfo{
			KVMD: pikvm.Version{Major: 4, Minor: 197},
			Streamer: pikvm.StreamerInfo{App: "ustreamer", Version: "6.61", Features: map[string]bool{
				"WITH_GPIO": true, "WITH_JANUS": true, "WITH_PDEATHSIG": true, "WITH_PTHREAD_NP": true,
				"WITH_PYTHON": true, "WITH_SETPROCTITLE": true, "WITH_SYSTEMD": true, "WITH_V4P": true,
			}},
			Kernel: pikvm.KernelInfo{
				System: "Linux", Release: "6.12.100-1-rpi", Machine: "aarch64",
				Version: "#1 SMP PREEMPT Mon Aug  3 03:36:39 UTC 2026",
			},
			Platform: &pikvm.PlatformInfo{
				Type: "rpi", Base: "Raspberry Pi Compute Module 4 Rev 1.1", Serial: "0000000000000000",
				Model: "v3", Video: "hdmi", Board: "rpi4",
			},
		},
		Uptime: &pikvm.UptimeInfo{Total: 2253 * time.Second},
	}
}

// compareInfo compares the decoded parts, raw texts as JSON values.
func compareInfo(want, got *pikvm.InfoState) string {
	return cmp.Diff(want, got,
		cmpopts.IgnoreFields(pikvm.InfoState{}, "Raw"), cmpopts.IgnoreFields(pikvm.ExtraInfo{}, "Raw"),
		cmp.Transformer("json", func(raw json.RawMessage) any {
			var v any
			_ = json.Unmarshal(raw, &v)
			return v
		}))
}

// TestInfoRecorded checks the recorded answers: both forms say the same.
func TestInfoRecorded(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		exchange string
		opts     *pikvm.InfoOptions
		want     func(*pikvm.InfoState)
	}{
		{"info_legacy0", nil, func(*pikvm.InfoState) {}},
		{"info_default", &pikvm.InfoOptions{Legacy: true}, func(*pikvm.InfoState) {}},
		{
			"info_fields", &pikvm.InfoOptions{Legacy: true, Fields: []string{pikvm.InfoAuth, pikvm.InfoNode}},
			func(s *pikvm.InfoState) { *s = pikvm.InfoState{Auth: s.Auth, Node: s.Node} },
		},
		{
			"info_fields_hw_system",
			&pikvm.InfoOptions{Legacy: true, Fields: []string{pikvm.InfoHW, pikvm.InfoSystem}},
			func(s *pikvm.InfoState) { *s = pikvm.InfoState{Health: s.Health, System: s.System} },
		},
		{
			"info_legacy_health_hw",
			&pikvm.InfoOptions{Legacy: true, Fields: []string{pikvm.InfoHealth, pikvm.InfoHW}},
			func(s *pikvm.InfoState) {
				*s = pikvm.InfoState{Health: s.Health, System: &pikvm.SystemInfo{Platform: s.System.Platform}}
			},
		},
	} {
		t.Run(tc.exchange, func(t *testing.T) {
			t.Parallel()
			e := exchangeNamed(t, tc.exchange)
			got, err := replay(t, e, nil).Info.Get(t.Context(), tc.opts)
			if err != nil {
				t.Fatal(err)
			}
			want := recordedInfo()
			tc.want(want)
			if d := compareInfo(want, got); d != "" {
				t.Errorf("info (-want +got):\n%s", d)
			}
			var raw struct{ Result map[string]any }
			if err := json.Unmarshal(e.Body, &raw); err != nil {
				t.Fatal(err)
			}
			parts := map[string]any{}
			for name, text := range got.Raw {
				var v any
				if err := json.Unmarshal(text, &v); err != nil {
					t.Fatal(err)
				}
				parts[name] = v
			}
			if d := cmp.Diff(raw.Result, parts); d != "" {
				t.Errorf("raw (-want +got):\n%s", d)
			}
		})
	}
	for _, name := range []string{"info_hw_legacy0", "info_bad_field"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := exchangeNamed(t, name)
			opts := &pikvm.InfoOptions{Fields: []string{"hw"}}
			if name == "info_bad_field" {
				opts = &pikvm.InfoOptions{Fields: []string{"nope"}, Legacy: true}
			}
			_, err := replay(t, e, nil).Info.Get(t.Context(), opts)
			checkRefusal(t, e, err)
		})
	}
}

// TestInfoTolerant checks answers of other versions, and odd ones.
func TestInfoTolerant(t *testing.T) {
	t.Parallel()
	temp := 50.0
	for _, tc := range []struct {
		name string
		body string
		want *pikvm.InfoState
	}{
		{name: "nothing", body: `{}`, want: &pikvm.InfoState{}},
		{name: "unknown part", body: `{"quantum": {"x": 1}}`, want: &pikvm.InfoState{}},
		{
			name: "all null", want: &pikvm.InfoState{},
			body: `{"auth": null, "extras": null, "fan": null, "health": null, "hw": null, "meta": null, "node": null,
				"system": null, "uptime": null}`,
		},
		{
			name: "odd shapes of what is not needed", want: &pikvm.InfoState{Meta: json.RawMessage(`"text"`)},
			body: `{"extras": [], "fan": 1, "health": "good", "hw": [], "meta": "text", "node": 5}`,
		},
		{
			name: "health that knows little",
			body: `{"health": {"temp": {"cpu": 50}, "cpu": {"percent": null}, "mem": {}, "throttling": null, "new": 1}}`,
			want: &pikvm.InfoState{Health: &pikvm.HealthInfo{CPUTemp: &temp}},
		},
		{
			name: "health of version 3: under hw, without cpu and mem",
			body: `{"hw": {"health": {"temp": {"cpu": 50.0, "gpu": 49.0}, "throttling": {"raw_flags": 327681,
				"parsed_flags": {"undervoltage": {"now": true, "past": true}}}}, "platform": {"type": "rpi"}}}`,
			want: &pikvm.InfoState{
				Health: &pikvm.HealthInfo{CPUTemp: &temp, Throttling: &pikvm.ThrottlingInfo{
					RawFlags:     327681,
					Undervoltage: pikvm.ThrottlingFlag{Now: true, Past: true},
					Throttled:    pikvm.ThrottlingFlag{Past: true},
				}},
				System: &pikvm.SystemInfo{Platform: &pikvm.PlatformInfo{Type: "rpi"}},
			},
		},
		{
			name: "one odd extra", body: `{"extras": {"vnc": {"name": "VNC", "port": "many"}, "web": {"name": "W", "place": 1.0}}}`,
			want: &pikvm.InfoState{Extras: map[string]pikvm.ExtraInfo{"web": {Name: "W", Place: 1}}},
		},
		{
			name: "numbers of every sort", body: `{"auth": {"enabled": 1}, "uptime": {"total": 1.5}}`,
			want: &pikvm.InfoState{
				Auth: &pikvm.AuthInfo{Enabled: true}, Uptime: &pikvm.UptimeInfo{Total: 1500 * time.Millisecond},
			},
		},
		{
			name: "version of the future", body: `{"system": {"kvmd": {"version": "5.1-beta"}}}`,
			want: &pikvm.InfoState{System: &pikvm.SystemInfo{KVMD: pikvm.Version{Major: 5, Minor: 1}}},
		},
		{
			name: "no version", body: `{"system": {"kvmd": {"version": "unknown"}, "kernel": 1, "streamer": null}}`,
			want: &pikvm.InfoState{System: &pikvm.SystemInfo{}},
		},
		{
			name: "numbers without end", body: `{"uptime": {"total": 1e300}, "health": {"mem": {"total": 3.7e9, "available": -1e300}}}`,
			want: &pikvm.InfoState{
				Uptime: &pikvm.UptimeInfo{Total: math.MaxInt64},
				Health: &pikvm.HealthInfo{MemTotal: new(int64(3.7e9)), MemAvailable: new(int64(math.MinInt64))},
			},
		},
		{
			name: "fan", body: `{"fan": {"monitored": true, "state": {"speed": 25.0}}}`,
			want: &pikvm.InfoState{Fan: &pikvm.FanInfo{Monitored: true, State: json.RawMessage(`{"speed": 25.0}`)}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got pikvm.InfoState
			if err := json.Unmarshal([]byte(tc.body), &got); err != nil {
				t.Fatal(err)
			}
			if d := compareInfo(tc.want, &got); d != "" {
				t.Errorf("info (-want +got):\n%s", d)
			}
		})
	}
	for name, body := range map[string]string{
		"null":          `null`,
		"list":          `[]`,
		"auth":          `{"auth": {"enabled": "yes"}}`,
		"auth list":     `{"auth": []}`,
		"uptime":        `{"uptime": {"total": {}}}`,
		"version":       `{"system": {"kvmd": {"version": 4.197}}}`,
		"system string": `{"system": "Linux"}`,
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			t.Parallel()
			network := netem.New(nil)
			serveHTTP(t, network, func(w http.ResponseWriter, _ *http.Request) {
				reply(w, http.StatusOK, `{"ok": true, "result": `+body+`}`)
			})
			_, err := newClient(t, kvmHTTP, on(network, pikvm.Options{})).Info.Get(t.Context(), nil)
			e, ok := errors.AsType[*pikvm.ResponseError](err)
			if !ok || e.Path != "/api/info" {
				t.Errorf("error is %v, want a ResponseError for /api/info", err)
			}
		})
	}
}
