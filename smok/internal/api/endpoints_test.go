package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

const typeMiniJSON = "application/minijson"

var noon = time.UnixMicro(1795326769000001) // 2026-11-22 in microseconds

type metadata struct {
	Value string
	At    time.Time
}

// endpoints are the calls of the interface, with an answer as the hub gives it. The BAOBs' raw bytes have tests of their
// own.
var endpoints = []struct {
	name   string
	call   func(context.Context, *api.Client) (any, error)
	want   request
	answer string // JSON
	result any
}{
	{
		name: "DeviceInfo",
		call: func(ctx context.Context, c *api.Client) (any, error) { return c.DeviceInfo(ctx) },
		want: request{Method: "GET", URI: "/v1/device"},
		answer: `{"device_id":"1","verbose_name":"Test device","facets":["smoke"],
			"culture_context":{"timezone":"Europe/Warsaw","units":"metric","language":"pl"},
			"slave_devices":[{"device_id":"1","master_controller":"1","configuration":"rapid 1","responsible_service":"rapid"}]}`,
		result: &api.DeviceInfo{
			DeviceID: "1", VerboseName: "Test device", Facets: []string{"smoke"},
			Culture: api.CultureContext{Timezone: "Europe/Warsaw", Units: "metric", Language: "pl"},
			Slaves: []api.SlaveDevice{
				{DeviceID: "1", MasterController: "1", Configuration: "rapid 1", ResponsibleService: "rapid"},
			},
		},
	},
	{
		name: "UploadValues",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return nil, c.UploadValues(ctx, []api.Series{
				{Path: "W1", Samples: []api.Sample{
					{Time: time.UnixMilli(1795326768643), Value: int64(7)},
					{Time: time.UnixMilli(1795326769000), Reason: smokerr.ReasonTimeout},
				}},
				{Path: "f1", Samples: []api.Sample{
					{Time: time.UnixMilli(1), Value: 1.5},
					{Time: time.UnixMilli(2), Value: 0.1},
					{Time: time.UnixMilli(3), Value: true},
					{Time: time.UnixMilli(4), Value: "żółć"},
				}},
			})
		},
		want: request{
			"POST", "/v1/device/pathpoints", typeMiniJSON,
			`[{"path":"W1","values":[[1795326768643,7],[false,1795326769000,"timeout"]]},` +
				`{"path":"f1","values":[[1,1.5],[2,0.1],[3,true],[4,"żółć"]]}]`,
		},
	},
	{
		name: "SyncPathpoints",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return c.SyncPathpoints(ctx, []api.PathpointDef{{Path: "W1", StorageLevel: api.StorageTrend}, {Path: "u~"}})
		},
		want: request{
			"PUT", "/v1/device/pathpoints", typeMiniJSON, `[{"path":"W1","storage_level":1},{"path":"u~","storage_level":0}]`,
		},
		answer: `[{"path":"W1","storage_level":0},{"path":"B2"},{"path":"w3","storage_level":1.0}]`,
		result: []api.PathpointDef{{Path: "W1"}, {Path: "B2", StorageLevel: 1}, {Path: "w3", StorageLevel: 1}},
	},
	{
		name:   "ArchiveList",
		call:   func(ctx context.Context, c *api.Client) (any, error) { return c.ArchiveList(ctx) },
		want:   request{Method: "GET", URI: "/v1/device/pathpoints/archived"},
		answer: `[{"interval":60,"pathpoints":["W1","W2"]},{"interval":0.5,"pathpoints":[]}]`,
		result: []api.ArchiveEntry{
			{Interval: time.Minute, Pathpoints: []string{"W1", "W2"}}, {Interval: 500 * time.Millisecond},
		},
	},
	{
		name: "Sensors",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			list, _, err := c.Sensors(ctx)
			return list, err
		},
		want:   request{Method: "GET", URI: "/v1/device/sensors"},
		answer: `[{"fqts":"a b","path":"W1~rW{W1}+1","type":"std.Number10"}]`,
		result: []api.SensorDef{{FQTS: "a b", Pathpoints: []string{"W1", "rW{W1}+1"}, Type: "std.Number10"}},
	},
	{
		name: "UploadSensorWrites",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return nil, c.UploadSensorWrites(ctx, []api.SensorWrite{
				{Time: time.UnixMilli(1795326769123), Who: "me", FQTS: "a b", Value: "1", Reason: "why"},
				{Time: time.UnixMilli(1), HRSensor: "the pump", HRValue: "on", FQTS: "p", Value: "2"},
			})
		},
		want: request{
			"PUT", "/v1/device/sensor/write_log", typeMiniJSON,
			`[{"timestamp":1795326769123,"who":"me","hr_sensor":"a b","hr_value":"1","fqts":"a b","value":"1","reason":"why"},` +
				`{"timestamp":1,"who":"","hr_sensor":"the pump","hr_value":"on","fqts":"p","value":"2","reason":""}]`,
		},
	},
	{
		name:   "Orders",
		call:   func(ctx context.Context, c *api.Client) (any, error) { return c.Orders(ctx) },
		want:   request{Method: "POST", URI: "/v1/device/orders"},
		answer: `[{"orders":[{"type":"write","path":"W1","value":5,"advise":1}],"disposition":0}]`,
		result: json.RawMessage(`[{"orders":[{"type":"write","path":"W1","value":5,"advise":1}],"disposition":0}]`),
	},
	{
		name: "SendMessage",
		call: func(ctx context.Context, c *api.Client) (any, error) { return nil, c.SendMessage(ctx, "a/b c") },
		want: request{Method: "POST", URI: "/v1/device/orders/message/a%2Fb%20c"},
	},
	{
		name: "Macros",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return c.Macros(ctx, time.Unix(1600000000, 999), time.Unix(1600009000, 0))
		},
		want: request{Method: "GET", URI: "/v1/device/macro/occurrences/1600000000-1600009000"},
		answer: `[{"macro_id":"m1","commands":[{"path":"W1","value":5},{"path":"f1","value":5.5},{"path":"B1","value":true},` +
			`{"path":"u1","value":"x"}],"occurrences":[{"timestamp":1600000000,"completed":false},{"timestamp":1600000060.5,"completed":true}]}]`,
		result: []api.Macro{{
			ID: "m1",
			Commands: []api.MacroCommand{
				{Path: "W1", Value: int64(5)}, {Path: "f1", Value: 5.5}, {Path: "B1", Value: true}, {Path: "u1", Value: "x"},
			},
			Occurrences: []api.MacroOccurrence{
				{Time: time.Unix(1600000000, 0)}, {Time: time.UnixMilli(1600000060500), Completed: true},
			},
		}},
	},
	{
		name: "MacroDone",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return nil, c.MacroDone(ctx, "m1", time.UnixMilli(1600000000999))
		},
		want: request{Method: "POST", URI: "/v1/device/macros/m1/1600000000"},
	},
	{
		name: "Predicates",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			list, _, err := c.Predicates(ctx)
			return list, err
		},
		want: request{Method: "GET", URI: "/v1/device/predicates"},
		answer: `[{"predicate_id":"p1","online":true,"statistic":"fire","configuration":{"limit":5},"verbose_name":"Fire","group":"A",` +
			`"silencing":[{"start":{"day":6,"hour":22,"minute":0},"stop":{"day":1,"hour":6,"minute":30}}]},` +
			`{"predicate_id":"p2","online":false,"statistic":"x","configuration":null,"verbose_name":"","group":"B"}]`,
		result: []api.PredicateDef{
			{
				ID: "p1", Online: true, Statistic: "fire", Configuration: json.RawMessage(`{"limit":5}`), VerboseName: "Fire", Group: "A",
				Silencing: []api.Silencing{{Start: api.WeekTime{Day: 6, Hour: 22}, Stop: api.WeekTime{Day: 1, Hour: 6, Minute: 30}}},
			},
			{ID: "p2", Statistic: "x", Group: "B"},
		},
	},
	{
		name: "UploadEvents",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return c.UploadEvents(ctx, []api.Event{
				{
					StartedOn: time.UnixMilli(1795326769999), Color: api.ColorRed, Token: "fire", Group: "A", Message: "hot",
					Metadata: map[string]string{"b": "2", "a": "1"},
				},
				{
					UUID: "u-2", StartedOn: time.Unix(1, 0), EndedOn: time.Unix(2, 0), IsPoint: true, HandledBy: "me",
				},
			})
		},
		want: request{
			"POST", "/v1/device/alarms", typeMiniJSON,
			`[{"started_on":1795326769,"color":2,"alarm_type":0,"token":"fire","group":"A","message":"hot","metadata":{"a":"1","b":"2"}},` +
				`{"started_on":1,"color":0,"alarm_type":1,"token":"","group":"","message":"","metadata":{},"uuid":"u-2","handled_by":"me","ended_on":2}]`,
		},
		answer: `[{"uuid":"u-1"},{"uuid":"u-2"}]`,
		result: []string{"u-1", "u-2"},
	},
	{
		name: "Metadata",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			value, at, err := c.Metadata(ctx, "a b+c")
			return metadata{value, at}, err
		},
		want:   request{Method: "GET", URI: "/v1/device/metadata/plain/a%20b%2Bc"},
		answer: `{"value":"v","timestamp":1795326769.25}`,
		result: metadata{"v", time.UnixMilli(1795326769250)},
	},
	{
		name: "PutMetadata",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return nil, c.PutMetadata(ctx, "k", "v", time.UnixMilli(1795326769900))
		},
		want: request{
			"PUT", "/v1/device/metadata/plain/k", typeMiniJSON, `{"value":"v","unless_timestamp_higher":1795326769}`,
		},
	},
	{
		name: "DeleteMetadata",
		call: func(ctx context.Context, c *api.Client) (any, error) { return nil, c.DeleteMetadata(ctx, "ą/.") },
		want: request{Method: "DELETE", URI: "/v1/device/metadata/plain/%C4%85%2F."},
	},
	{
		name: "BAOBs",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return c.BAOBs(ctx, []api.BAOBVersion{{Key: "a", Version: 0}, {Key: "b", Version: 1 << 40}})
		},
		want: request{
			"POST", "/v1/device/baobs", typeMiniJSON, `[{"key":"a","version":0},{"key":"b","version":1099511627776}]`,
		},
		answer: `{"should_delete":["a"],"should_download":["b","c"],"should_upload":[]}`,
		result: api.BAOBPlan{Delete: []string{"a"}, Download: []string{"b", "c"}},
	},
	{
		name:   "Slave",
		call:   func(ctx context.Context, c *api.Client) (any, error) { return c.Slave(ctx, "7") },
		want:   request{Method: "GET", URI: "/v1/device/instrumentation/7"},
		answer: `{"linkstate":"{\"status\":true,\"failed_devices\":[3,4]}","instrumentation":"rapid 1"}`,
		result: api.SlaveState{
			LinkState: &api.LinkState{Status: true, FailedDevices: []int64{3, 4}}, Instrumentation: "rapid 1",
		},
	},
	{
		name: "PatchSlaveLinkState",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return nil, c.PatchSlaveLinkState(ctx, "7", api.LinkState{FailedDevices: []int64{1}})
		},
		want: request{
			"PATCH", "/v1/device/instrumentation/7", typeMiniJSON, `{"linkstate":"{\"status\":false,\"failed_devices\":[1]}"}`,
		},
	},
	{
		name: "PatchSlaveInstrumentation",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return nil, c.PatchSlaveInstrumentation(ctx, "7", "text")
		},
		want: request{"PATCH", "/v1/device/instrumentation/7", typeMiniJSON, `{"instrumentation":"text"}`},
	},
	{
		name: "UploadLogs",
		call: func(ctx context.Context, c *api.Client) (any, error) {
			return nil, c.UploadLogs(ctx, []api.LogRecord{
				{Service: "s", When: noon, Message: "m", Level: 30, ExceptionText: "boom"},
				{When: noon.Add(time.Microsecond), Message: "eA==", Encoding: api.EncodingGzip, Level: 10},
			})
		},
		want: request{
			"PUT", "/v1/device/device_logs", typeMiniJSON,
			`[{"service":"s","when":1795326769000001,"message":"m","level":30,"exception_text":"boom"},` +
				`{"service":"","when":1795326769000002,"message":{"encoding":"base64-gzip","content":"eA=="},"level":10}]`,
		},
	},
}

// TestEndpoints checks what goes out and what comes back, with answers in JSON and in MiniJSON.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	for _, tc := range endpoints {
		for _, form := range []string{"application/json", typeMiniJSON} {
			t.Run(tc.name+"/"+form, func(t *testing.T) {
				t.Parallel()
				body := []byte(tc.answer)
				if form == typeMiniJSON && tc.answer != "" {
					var err error
					if body, err = minijson.FromJSON(body); err != nil {
						t.Fatal(err)
					}
				}
				got := make(chan request, 1)
				client := hub(t, nil, func(w http.ResponseWriter, r *http.Request) {
					got <- received(t, r)
					w.Header().Set("Content-Type", form)
					_, _ = w.Write(body)
				})
				result, err := tc.call(t.Context(), client)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tc.want, <-got); d != "" {
					t.Errorf("request (-want +got)\n%s", d)
				}
				if d := cmp.Diff(tc.result, result); d != "" {
					t.Errorf("result (-want +got)\n%s", d)
				}
			})
		}
	}
}

// TestEmptyAnswers checks that an answer without a body is a zero value, except where the device's id must be.
func TestEmptyAnswers(t *testing.T) {
	t.Parallel()
	empty := map[string]any{
		"SyncPathpoints": []api.PathpointDef(nil), "ArchiveList": []api.ArchiveEntry(nil), "Sensors": []api.SensorDef(nil),
		"Orders": json.RawMessage("[]"), "Macros": []api.Macro(nil), "Predicates": []api.PredicateDef(nil),
		"UploadEvents": []string(nil), "Metadata": metadata{}, "BAOBs": api.BAOBPlan{}, "Slave": api.SlaveState{},
	}
	for _, tc := range endpoints {
		for _, body := range []string{"", " \n", "null"} {
			t.Run(tc.name+"/"+body, func(t *testing.T) {
				t.Parallel()
				client := hub(t, nil, func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, body) })
				result, err := tc.call(t.Context(), client)
				if tc.name == "DeviceInfo" {
					if err == nil {
						t.Errorf("%v", result)
					}
					return
				}
				if d := cmp.Diff(empty[tc.name], result); err != nil || d != "" {
					t.Errorf("%v (-want +got)\n%s", err, d)
				}
			})
		}
	}
}

// TestHeaders checks what every request says of itself.
func TestHeaders(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	client := hub(t, func(c *api.Config) { c.UserAgent = "" }, func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header
		w.WriteHeader(http.StatusNoContent)
	})
	for _, tc := range endpoints[1:] { // an empty answer is no device
		if _, err := tc.call(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		h := <-got
		if h.Get("Accept") != "application/json" || h.Get("User-Agent") != "smok-go" {
			t.Errorf("%s: %v", tc.name, h)
		}
		if h.Get("Content-Length") == "" && h.Get("Transfer-Encoding") != "" {
			t.Errorf("%s: sent in chunks", tc.name)
		}
	}
}

// TestNothingToUpload checks that empty uploads cost no request.
func TestNothingToUpload(t *testing.T) {
	t.Parallel()
	client := hub(t, nil, func(http.ResponseWriter, *http.Request) { t.Error("a request") })
	ctx := t.Context()
	if err := client.UploadValues(ctx, nil); err != nil {
		t.Error(err)
	}
	if err := client.UploadSensorWrites(ctx, nil); err != nil {
		t.Error(err)
	}
	if err := client.UploadLogs(ctx, nil); err != nil {
		t.Error(err)
	}
	if uuids, err := client.UploadEvents(ctx, nil); err != nil || uuids != nil {
		t.Errorf("%v, %v", uuids, err)
	}
}

// TestConnectionIsShared checks that requests one after another use one connection, whatever the hub answers.
func TestConnectionIsShared(t *testing.T) {
	t.Parallel()
	statuses := []int{200, 404, 500, 204, 302, 200}
	addrs := make(map[string]bool)
	n := 0
	client := hub(t, nil, func(w http.ResponseWriter, r *http.Request) {
		addrs[r.RemoteAddr] = true
		w.WriteHeader(statuses[n])
		if n++; statuses[n-1] != 204 {
			_, _ = io.WriteString(w, `{"status":"x"}`)
		}
	})
	for range statuses {
		_ = client.SendMessage(t.Context(), "m")
	}
	if len(addrs) != 1 || n != len(statuses) {
		t.Errorf("%d connections for %d requests", len(addrs), n)
	}
}
