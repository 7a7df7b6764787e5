package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

// strictHub runs a hub that refuses what is not exactly as it should be, and returns a client of one of its devices.
func strictHub(t *testing.T, opts smoktest.Options, change func(*api.Config)) (*smoktest.Hub, *smoktest.Device, *api.Client) {
	t.Helper()
	network := netem.New(nil)
	opts.Listen, opts.Hosts = network.Listen, []string{"hub.test"}
	opts.Addr, opts.NGTTAddr = "hub.test:443", "hub.test:2405"
	h := smoktest.New(&opts)
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	certPEM, keyPEM, err := h.Issue(ngtttest.Device{ID: "pump-1"})
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := ngtt.ParseCredentials(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	client := connect(t, network, func(c *api.Config) {
		c.Credentials, c.BaseURL = credentials, h.URL()
		if !opts.PlainHTTP {
			c.RootCAs = h.RootCAs()
		}
		if change != nil {
			change(c)
		}
	})
	return h, h.Device("pump-1"), client
}

// TestAgainstHub goes through all endpoints with a hub that has state, in each way to prove the identity and with answers
// in both forms.
func TestAgainstHub(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		opts   smoktest.Options
		change func(*api.Config)
	}{
		{"certificate", smoktest.Options{}, nil},
		{"header", smoktest.Options{}, func(c *api.Config) { c.Auth = api.AuthHeader }},
		{"header without TLS", smoktest.Options{PlainHTTP: true}, func(c *api.Config) { c.Auth = api.AuthHeader }},
		{"MiniJSON", smoktest.Options{MiniJSONAnswers: true}, nil},
		{"plus for space", smoktest.Options{PlusIsSpace: true}, func(c *api.Config) { c.PlusForSpace = true }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h, device, client := strictHub(t, tc.opts, tc.change)
			for _, step := range steps {
				t.Run(step.name, func(t *testing.T) { step.run(t, device, client) })
			}
			for _, r := range h.Requests() {
				if r.Status >= 400 && r.Status != http.StatusNotFound {
					t.Errorf("%s %s is %d: %s", r.Method, r.Path, r.Status, r.JSON())
				}
			}
			if n := device.Counts().FloatTimes; n > 0 {
				t.Errorf("%d times were sent as floats", n)
			}
		})
	}
}

var recent = time.UnixMilli(1795326769123)

func compare(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got)\n%s", what, d)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// steps are the endpoints, in an order in which they can be used.
var steps = []struct {
	name string
	run  func(*testing.T, *smoktest.Device, *api.Client)
}{
	{"device info", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		d.SetInfo(smoktest.Info{VerboseName: "Pompa", Timezone: "Europe/Warsaw", Units: "metric", Language: "pl", Slaves: []smoktest.Slave{{ID: "s1"}}})
		info, err := c.DeviceInfo(t.Context())
		ok(t, err)
		if info.DeviceID != "pump-1" || info.VerboseName != "Pompa" || info.Culture.Timezone != "Europe/Warsaw" || len(info.Slaves) != 1 {
			t.Errorf("%+v", info)
		}
	}},
	{"pathpoints", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		d.SetPathpoint("w9", smoktest.Permanent)
		known, err := c.SyncPathpoints(t.Context(), []api.PathpointDef{{Path: "W1", StorageLevel: 1}, {Path: "f1"}})
		ok(t, err)
		compare(t, "known", []api.PathpointDef{{Path: "W1", StorageLevel: 1}, {Path: "f1"}, {Path: "w9"}}, known)
	}},
	{"values", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		ok(t, c.UploadValues(t.Context(), []api.Series{
			{Path: "W1", Samples: []api.Sample{{Time: recent, Value: int64(7)}, {Time: recent.Add(time.Millisecond), Reason: smokerr.ReasonTimeout}}},
			{Path: "f1", Samples: []api.Sample{{Time: recent, Value: 1.5}}},
		}))
		for i, want := range []smoktest.Sample{
			{Path: "W1", Time: recent, Value: int64(7)},
			{Path: "W1", Time: recent.Add(time.Millisecond), Reason: "timeout"},
			{Path: "f1", Time: recent, Value: 1.5},
		} {
			got := d.Samples("")[i]
			got.Request = 0
			if !got.Time.Equal(want.Time) || got.Path != want.Path || got.Value != want.Value || got.Reason != want.Reason {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
	}},
	{"archives", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		d.SetArchives(smoktest.Archive{Interval: time.Minute, Pathpoints: []string{"W1", "f1"}})
		list, err := c.ArchiveList(t.Context())
		ok(t, err)
		compare(t, "list", []api.ArchiveEntry{{Interval: time.Minute, Pathpoints: []string{"W1", "f1"}}}, list)
	}},
	{"sensors", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		d.SetSensors(smoktest.Sensor{FQTS: "a b", Paths: []string{"W1", "f1"}, Type: "std.Number10"})
		sensors, _, err := c.Sensors(t.Context())
		ok(t, err)
		compare(t, "sensors", []api.SensorDef{{FQTS: "a b", Pathpoints: []string{"W1", "f1"}, Type: "std.Number10"}}, sensors)
	}},
	{"sensor writes", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		ok(t, c.UploadSensorWrites(t.Context(), []api.SensorWrite{{Time: recent, Who: "me", FQTS: "a b", Value: "1", Reason: "why"}}))
		if got := d.SensorWrites(); len(got) != 1 || got[0].ReadableFQTS != "a b" || got[0].ReadableValue != "1" || !got[0].Time.Equal(recent) {
			t.Errorf("%+v", got)
		}
	}},
	{"orders", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		_, err := d.Enqueue(smoktest.Section{Orders: []smoktest.Order{smoktest.Write("W1", 5)}, Disposition: 1})
		ok(t, err)
		for _, want := range []int{1, 0} { // the hub forgets what it has answered
			doc, err := c.Orders(t.Context())
			ok(t, err)
			var sections []struct {
				Orders      []map[string]any
				Disposition int
			}
			if err := json.Unmarshal(doc, &sections); err != nil || len(sections) != want {
				t.Fatalf("%s, %v", doc, err)
			}
			if want > 0 && (sections[0].Disposition != 1 || sections[0].Orders[0]["path"] != "W1") {
				t.Errorf("%s", doc)
			}
		}
	}},
	{"message", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		ok(t, c.SendMessage(t.Context(), "m/1 ż"))
		if got := d.Messages(); len(got) != 1 || got[0].UUID != "m/1 ż" {
			t.Errorf("%+v", got)
		}
	}},
	{"macros", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		at := time.Unix(1600000000, 0)
		d.SetMacros(smoktest.Macro{
			ID: "m 1", Commands: []smoktest.Command{{Path: "W1", Value: 5}}, Occurrences: []smoktest.Occurrence{{Time: at}},
		})
		for _, done := range []bool{false, true} {
			macros, err := c.Macros(t.Context(), at.Add(-time.Hour), at.Add(time.Hour))
			ok(t, err)
			compare(t, "macros", []api.Macro{{
				ID: "m 1", Commands: []api.MacroCommand{{Path: "W1", Value: int64(5)}},
				Occurrences: []api.MacroOccurrence{{Time: at, Completed: done}},
			}}, macros)
			ok(t, c.MacroDone(t.Context(), "m 1", at))
		}
	}},
	{"predicates", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		d.SetPredicates(smoktest.Predicate{
			ID: "p", Statistic: "fire", Configuration: map[string]any{"limit": 5}, VerboseName: "Fire", Group: "A",
			Silencing: []smoktest.Silence{{Start: smoktest.WeekTime{Day: 6, Hour: 22}, Stop: smoktest.WeekTime{Day: 1, Hour: 6}}},
		}, smoktest.Predicate{ID: "q", Offline: true, Statistic: "x", Group: "B"})
		predicates, _, err := c.Predicates(t.Context())
		ok(t, err)
		compare(t, "predicates", []api.PredicateDef{
			{
				ID: "p", Online: true, Statistic: "fire", Configuration: json.RawMessage(`{"limit":5}`), VerboseName: "Fire", Group: "A",
				Silencing: []api.Silencing{{Start: api.WeekTime{Day: 6, Hour: 22}, Stop: api.WeekTime{Day: 1, Hour: 6}}},
			},
			{ID: "q", Statistic: "x", Group: "B"},
		}, predicates)
	}},
	{"events", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		event := api.Event{
			StartedOn: recent, Color: api.ColorRed, Token: "fire", Group: "A", Message: "hot", Metadata: map[string]string{"k": "v"},
		}
		uuids, err := c.UploadEvents(t.Context(), []api.Event{event, {StartedOn: recent, IsPoint: true}})
		ok(t, err)
		if len(uuids) != 2 || uuids[0] == "" || uuids[0] == uuids[1] {
			t.Fatalf("%v", uuids)
		}
		event.UUID, event.EndedOn, event.HandledBy = uuids[0], recent.Add(time.Minute), "me"
		again, err := c.UploadEvents(t.Context(), []api.Event{event})
		ok(t, err)
		compare(t, "uuids", uuids[:1], again)
		alarms := d.Alarms()
		if len(alarms) != 2 || alarms[0].HandledBy != "me" || alarms[0].Ended.Unix() != recent.Unix()+60 || !alarms[1].Point {
			t.Errorf("%+v", alarms)
		}
	}},
	{"metadata", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		const key = "a b/c+ż"
		ok(t, c.PutMetadata(t.Context(), key, "new", recent))
		ok(t, c.PutMetadata(t.Context(), key, "older", recent.Add(-time.Hour))) // no effect
		value, at, err := c.Metadata(t.Context(), key)
		ok(t, err)
		if stored, _, _ := d.Metadata(key); value != "new" || stored != "new" || at.Unix() != recent.Unix() {
			t.Errorf("%q at %v, stored %q", value, at, stored)
		}
		ok(t, c.DeleteMetadata(t.Context(), key))
		if _, _, err := c.Metadata(t.Context(), key); !errors.Is(err, smokerr.ErrNotFound) {
			t.Errorf("%v", err)
		}
		ok(t, c.DeleteMetadata(t.Context(), key))
	}},
	{"baobs", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		content := bytes.Repeat([]byte("\x00\r\n--"), 100_000)
		d.SetBAOB("from hub", 3, content)
		plan, err := c.BAOBs(t.Context(), []api.BAOBVersion{{Key: "mine/1", Version: 2}})
		ok(t, err)
		compare(t, "plan", api.BAOBPlan{Download: []string{"from hub"}, Upload: []string{"mine/1"}}, plan)
		var got bytes.Buffer
		version, err := c.DownloadBAOB(t.Context(), "from hub", &got, 1<<20)
		if err != nil || version != 3 || !bytes.Equal(got.Bytes(), content) {
			t.Errorf("version %d, %d bytes, %v", version, got.Len(), err)
		}
		ok(t, c.UploadBAOB(t.Context(), "mine/1", 2, bytes.NewReader(content), int64(len(content))))
		if version, stored, _ := d.BAOB("mine/1"); version != 2 || !bytes.Equal(stored, content) {
			t.Errorf("version %d, %d bytes", version, len(stored))
		}
		ok(t, c.UploadBAOB(t.Context(), "mine/1", 3, strings.NewReader(""), 0))
		if _, err := c.DownloadBAOB(t.Context(), "nothing", &got, 1); !errors.Is(err, smokerr.ErrNotFound) {
			t.Errorf("%v", err)
		}
	}},
	{"slaves", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		want := api.SlaveState{LinkState: &api.LinkState{Status: true, FailedDevices: []int64{3}}, Instrumentation: "text"}
		before, err := c.Slave(t.Context(), "s1")
		ok(t, err)
		compare(t, "before", api.SlaveState{}, before)
		ok(t, c.PatchSlaveLinkState(t.Context(), "s1", *want.LinkState))
		ok(t, c.PatchSlaveInstrumentation(t.Context(), "s1", want.Instrumentation))
		after, err := c.Slave(t.Context(), "s1")
		ok(t, err)
		compare(t, "after", want, after)
	}},
	{"logs", func(t *testing.T, d *smoktest.Device, c *api.Client) {
		ok(t, c.UploadLogs(t.Context(), []api.LogRecord{
			{Service: "s", When: recent, Message: "m", Level: 20}, {Service: "s", When: recent.Add(time.Microsecond), Message: "n", Level: 40, ExceptionText: "boom"},
		}))
		got := d.Logs()
		if len(got) != 2 || got[1].Exception != "boom" || !got[1].Time.Equal(recent.Add(time.Microsecond)) || d.Counts().LogDisorder != 0 {
			t.Errorf("%+v", got)
		}
	}},
}

// TestHubFaults checks what each way in which a hub can fail becomes, for every call.
func TestHubFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault smoktest.Fault
		want  outcome
	}{
		{"500", smoktest.Fault{Kind: smoktest.FaultAnswer}, outcome{Class: smokerr.ErrResponse, Kinds: errkit.Internal | errkit.Unavailable, Status: 500}},
		{"503", smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 503, RetryAfter: time.Minute}, outcome{Class: smokerr.ErrResponse, Kinds: errkit.Unavailable, Status: 503}},
		{"403", smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 403}, outcome{Class: smokerr.ErrClientFault, Kinds: errkit.Denied, Status: 403}},
		{"error that is a list", smoktest.Fault{Kind: smoktest.FaultAnswer, Status: 400, Body: []byte(`[1]`)}, outcome{Class: smokerr.ErrClientFault, Kinds: errkit.Invalid, Status: 400, Text: "[1]"}},
		{"reset", smoktest.Fault{Kind: smoktest.FaultReset}, noReply(errkit.Disconnected)},
		{"reset after the effect", smoktest.Fault{Kind: smoktest.FaultReset, AfterEffect: true}, noReply(errkit.Disconnected)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h, _, client := strictHub(t, smoktest.Options{PlainHTTP: true}, func(c *api.Config) { c.Auth = api.AuthHeader })
			h.Inject(tc.fault)
			for _, endpoint := range endpoints {
				_, err := endpoint.call(t.Context(), client)
				if tc.want.Text == "" {
					if response, ok := errors.AsType[*smokerr.ResponseError](err); ok {
						tc.want.Text = response.Status // the hub's own words
					}
				}
				checkOutcome(t, err, tc.want)
				if tc.fault.RetryAfter > 0 {
					if after, _ := errkit.RetryAfter(err); after != time.Minute {
						t.Errorf("%s: retry after %v", endpoint.name, after)
					}
				}
			}
		})
	}
}

// TestHubGarbage checks that no answer makes a call panic or believe something, whatever its form.
func TestHubGarbage(t *testing.T) {
	t.Parallel()
	for kind, times := range map[smoktest.FaultKind]int{
		smoktest.FaultGarbage: 1, smoktest.FaultWrongShape: len(smoktest.WrongShapes()),
	} {
		h, _, client := strictHub(t, smoktest.Options{PlainHTTP: true}, func(c *api.Config) {
			c.Auth, c.OnBadEntry = api.AuthHeader, nil
		})
		h.Inject(smoktest.Fault{Kind: kind})
		for range times {
			for _, endpoint := range endpoints {
				if endpoint.answer == "" {
					continue
				}
				_, err := endpoint.call(t.Context(), client)
				if err != nil && !errors.Is(err, smokerr.ErrBadAnswer) {
					t.Errorf("%s: %v", endpoint.name, err)
				}
			}
		}
	}
}

// TestConcurrentCalls lets many goroutines share one client.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	_, device, client := strictHub(t, smoktest.Options{}, nil)
	const callers, each = 8, 10
	failed := make(chan error, callers)
	for i := range callers {
		go func() { failed <- chatter(t.Context(), client, i, each) }()
	}
	for range callers {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if got := device.Counts(); got.Samples != callers*each || got.Polls != callers*each {
		t.Errorf("%+v", got)
	}
}

func chatter(ctx context.Context, client *api.Client, caller, times int) error {
	for i := range times {
		at := time.Unix(int64(1_700_000_000+caller*1000+i), 0)
		if err := client.UploadValues(ctx, []api.Series{{Path: "W1", Samples: []api.Sample{{Time: at, Value: int64(i)}}}}); err != nil {
			return err
		}
		if _, err := client.Orders(ctx); err != nil {
			return err
		}
	}
	return nil
}
