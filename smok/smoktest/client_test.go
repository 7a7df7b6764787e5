package smoktest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// TestTheClientAndTheHubAgree calls every endpoint with this module's own client: two programs, written apart from one
// description.
func TestTheClientAndTheHubAgree(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name            string
		auth            api.AuthMode
		plain, miniJSON bool
	}{{"certificate in the handshake", api.AuthMTLS, false, false}, {"in the header", api.AuthHeader, true, false}, {"MiniJSON", api.AuthHeader, false, true}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			hub := start(t, smoktest.Options{PlainHTTP: test.plain, MiniJSONAnswers: test.miniJSON})
			client := newClient(t, hub, api.Config{Auth: test.auth})
			callAll(t, client, hub.Device("pump"))
			var refused []smoktest.Request
			for _, r := range hub.Requests() {
				if r.Status != http.StatusOK || r.ByHeader != (test.auth == api.AuthHeader) {
					refused = append(refused, r)
				}
			}
			if len(refused) != 1 || refused[0].Path != "/v1/device/metadata/plain/a%20b%2F%2B" || refused[0].Status != http.StatusNotFound {
				t.Errorf("%+v", refused)
			}
		})
	}
}

func newClient(t *testing.T, hub *smoktest.Hub, config api.Config) *api.Client {
	t.Helper()
	cert, _ := issue(t, hub, ngtttest.Device{ID: "pump"})
	credentials, err := ngtt.NewCredentials(cert)
	if err != nil {
		t.Fatal(err)
	}
	config.Credentials, config.BaseURL = credentials, hub.URL()
	if strings.HasPrefix(config.BaseURL, "https") {
		config.RootCAs = hub.RootCAs()
	}
	config.OnBadEntry = func(err error) { t.Errorf("bad entry: %v", err) }
	client, err := api.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// callAll calls every endpoint once at least.
func callAll(t *testing.T, c *api.Client, pump *smoktest.Device) {
	ctx := t.Context()
	at := time.UnixMilli(1795326768643).UTC()
	second := at.Truncate(time.Second)
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	same := func(what string, want, got any) {
		t.Helper()
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}

	pump.SetInfo(smoktest.Info{VerboseName: "Pump", Facets: []string{"f"}, Timezone: "Europe/Warsaw", Slaves: []smoktest.Slave{{ID: "s1", Master: "pump"}}})
	info, err := c.DeviceInfo(ctx)
	check("info", err)
	if info.DeviceID != "pump" || info.Culture.Timezone != "Europe/Warsaw" || info.Slaves[0].DeviceID != "s1" {
		t.Errorf("%+v", info)
	}
	check("values", c.UploadValues(ctx, []api.Series{
		{Path: "f1", Samples: []api.Sample{{Time: at, Value: 0.5}, {Time: at.Add(time.Second), Reason: "timeout"}}},
		{Path: "B1", Samples: []api.Sample{{Time: at, Value: true}}},
	}))
	same("samples", []smoktest.Sample{
		{Path: "f1", Time: at, Value: 0.5, Request: 2}, {Path: "f1", Time: at.Add(time.Second), Reason: "timeout", Request: 2},
	}, pump.Samples("f1"))
	pump.SetPathpoint("W9", smoktest.Permanent)
	defs, err := c.SyncPathpoints(ctx, []api.PathpointDef{{Path: "f1", StorageLevel: 1}})
	check("definitions", err)
	same("definitions", []api.PathpointDef{{Path: "W9"}, {Path: "f1", StorageLevel: 1}}, defs)
	pump.SetArchives(smoktest.Archive{Interval: time.Minute, Pathpoints: []string{"f1"}})
	archives, err := c.ArchiveList(ctx)
	check("archives", err)
	same("archives", []api.ArchiveEntry{{Interval: time.Minute, Pathpoints: []string{"f1"}}}, archives)
	pump.SetSensors(smoktest.Sensor{FQTS: "a b", Paths: []string{"W1", "W2"}, Type: "std.Number10"})
	sensors, _, err := c.Sensors(ctx)
	check("sensors", err)
	same("sensors", []api.SensorDef{{FQTS: "a b", Pathpoints: []string{"W1", "W2"}, Type: "std.Number10"}}, sensors)
	check("writes", c.UploadSensorWrites(ctx, []api.SensorWrite{{Time: at, Who: "me", FQTS: "a b", Value: "1"}}))
	if w := pump.SensorWrites()[0]; w.ReadableFQTS != "a b" || !w.Time.Equal(at) {
		t.Errorf("%+v", w)
	}
	if _, err := pump.Enqueue(section(smoktest.Write("W1", 5))); err != nil {
		t.Fatal(err)
	}
	orders, err := c.Orders(ctx)
	check("orders", err)
	var sections []struct{ Orders []map[string]any }
	check("orders", json.Unmarshal(orders, &sections))
	same("orders", map[string]any{"type": "write", "path": "W1", "value": 5.0}, sections[0].Orders[0])
	check("message", c.SendMessage(ctx, "uu/id"))
	same("messages", "uu/id", pump.Messages()[0].UUID)

	pump.SetMacros(smoktest.Macro{ID: "m/1", Commands: []smoktest.Command{{Path: "W1", Value: 5}}, Occurrences: []smoktest.Occurrence{{Time: second}}})
	macros, err := c.Macros(ctx, second.Add(-time.Hour), second.Add(time.Hour))
	check("macros", err)
	if len(macros) != 1 || macros[0].ID != "m/1" || !macros[0].Occurrences[0].Time.Equal(second) || macros[0].Commands[0].Value != int64(5) {
		t.Errorf("%+v", macros)
	}
	check("macro done", c.MacroDone(ctx, "m/1", second))
	same("macros", 1, pump.Macros()[0].Occurrences[0].Confirmed)
	pump.SetPredicates(smoktest.Predicate{ID: "p", Statistic: "hot", Group: "G", Silencing: []smoktest.Silence{{smoktest.WeekTime{1, 2, 3}, smoktest.WeekTime{4, 5, 6}}}})
	predicates, _, err := c.Predicates(ctx)
	check("predicates", err)
	same("predicates", []api.PredicateDef{{
		ID: "p", Online: true, Statistic: "hot", Group: "G",
		Silencing: []api.Silencing{{Start: api.WeekTime{Day: 1, Hour: 2, Minute: 3}, Stop: api.WeekTime{Day: 4, Hour: 5, Minute: 6}}},
	}}, predicates)
	uuids, err := c.UploadEvents(ctx, []api.Event{
		{StartedOn: at, Color: api.ColorRed, Token: "hot"}, {StartedOn: at, EndedOn: at.Add(time.Hour), IsPoint: true, HandledBy: "me", UUID: "known"},
	})
	check("events", err)
	alarms := pump.Alarms()
	same("uuids", []string{alarms[0].UUID, "known"}, uuids)
	if !alarms[1].Ended.Equal(second.Add(time.Hour)) || !alarms[1].Point {
		t.Errorf("%+v", alarms[1])
	}

	check("put metadata", c.PutMetadata(ctx, "a b/+", "value", at))
	value, written, err := c.Metadata(ctx, "a b/+")
	check("metadata", err)
	if value != "value" || !written.Equal(second) {
		t.Errorf("%q %v", value, written)
	}
	check("delete metadata", c.DeleteMetadata(ctx, "a b/+"))
	if _, _, err := c.Metadata(ctx, "a b/+"); !errors.Is(err, smokerr.ErrNotFound) {
		t.Errorf("%v", err)
	}
	pump.SetBAOB("from the hub", 7, []byte("contents"))
	plan, err := c.BAOBs(ctx, []api.BAOBVersion{{Key: "mine/../", Version: 0}})
	check("BAOBs", err)
	if !slices.Equal(plan.Download, []string{"from the hub"}) || !slices.Equal(plan.Upload, []string{"mine/../"}) || len(plan.Delete) != 0 {
		t.Errorf("%+v", plan)
	}
	var got bytes.Buffer
	version, err := c.DownloadBAOB(ctx, "from the hub", &got, 100)
	check("download", err)
	if version != 7 || got.String() != "contents" {
		t.Errorf("%d %q", version, &got)
	}
	check("upload", c.UploadBAOB(ctx, "mine/../", 0, strings.NewReader("mine"), 4))
	if version, data, _ := pump.BAOB("mine/../"); version != 0 || string(data) != "mine" {
		t.Errorf("%d %q", version, data)
	}
	check("link state", c.PatchSlaveLinkState(ctx, "s1", api.LinkState{Status: true, FailedDevices: []int64{1}}))
	check("instrumentation", c.PatchSlaveInstrumentation(ctx, "s1", "text"))
	slave, err := c.Slave(ctx, "s1")
	check("slave", err)
	same("slave", api.SlaveState{LinkState: &api.LinkState{Status: true, FailedDevices: []int64{1}}, Instrumentation: "text"}, slave)
	check("logs", c.UploadLogs(ctx, []api.LogRecord{
		{Service: "main", When: at, Message: "plain", Level: 20},
		{Service: "main", When: at.Add(time.Microsecond), Message: pack(t, "packed"), Encoding: api.EncodingGzip, Level: 40, ExceptionText: "error"},
	}))
	if logs := pump.Logs(); logs[0].Message != "plain" || logs[1].Message != "packed" || logs[1].Exception != "error" {
		t.Errorf("%+v", logs)
	}
	counts := pump.Counts()
	if counts.FloatTimes != 0 || counts.LogDisorder != 0 {
		t.Errorf("%+v", counts)
	}
}

// TestTheClientMeetsFaults checks what the client makes of the hub's failures.
func TestTheClientMeetsFaults(t *testing.T) {
	t.Parallel()
	hub, network := startInMemory(t, smoktest.Options{}) // where nobody takes the address of a hub that is down
	client := newClient(t, hub, api.Config{Auth: api.AuthMTLS, DialContext: network.DialContext})
	upload := func(ctx context.Context) *smokerr.ResponseError {
		t.Helper()
		err := client.UploadValues(ctx, []api.Series{{Path: "W1", Samples: []api.Sample{{Time: time.UnixMilli(1), Value: int64(1)}}}})
		e, ok := errors.AsType[*smokerr.ResponseError](err)
		if !ok {
			t.Fatalf("%v", err)
		}
		return e
	}
	hub.Inject(smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 429, RetryAfter: 7 * time.Second, Times: 1})
	if e := upload(t.Context()); e.StatusCode != 429 || e.RetryAfter != 7*time.Second || e.Status != "Too Many Requests" {
		t.Errorf("%+v", e)
	}
	hub.Inject(smoktest.Fault{Kind: smoktest.FaultReset, AfterEffect: true, Times: 1})
	if e := upload(t.Context()); !e.NoLink() {
		t.Errorf("%+v", e)
	}
	hub.Down(smoktest.REST)
	if e := upload(t.Context()); !e.NoLink() {
		t.Errorf("%+v", e)
	}
	if err := hub.Up(smoktest.REST); err != nil {
		t.Fatal(err)
	}
	if err := client.UploadValues(t.Context(), []api.Series{{Path: "W1", Samples: []api.Sample{{Time: time.UnixMilli(1), Value: int64(1)}}}}); err != nil {
		t.Error(err)
	}
	if c := hub.Device("pump").Counts(); c.Samples != 1 || c.Repeated != 1 {
		t.Errorf("%+v", c)
	}
}
