package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// TestRefusals checks the text and the class of answers that are no success, for every call.
func TestRefusals(t *testing.T) {
	t.Parallel()
	inMiniJSON, err := minijson.FromJSON([]byte(`{"status":"binary"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, kind, body string
		status           int
		want             outcome
	}{
		{"object", "application/json", `{"status":"no such thing"}`, 404, outcome{
			smokerr.ErrClientFault, errkit.NotFound, 404, "no such thing",
		}},
		{"object in MiniJSON", typeMiniJSON, string(inMiniJSON), 400, outcome{
			smokerr.ErrClientFault, errkit.Invalid, 400, "binary",
		}},
		{"object without text", "application/json", `{"error":1}`, 422, outcome{
			smokerr.ErrClientFault, errkit.Invalid, 422, `{"error":1}`,
		}},
		{"list", "application/json", `["a"]`, 413, outcome{smokerr.ErrClientFault, errkit.TooLarge, 413, `["a"]`}},
		{"status is an object", "application/json", `{"status":{}}`, 400, outcome{
			smokerr.ErrClientFault, errkit.Invalid, 400, `{"status":{}}`,
		}},
		{"text", "text/plain", "gone away", 503, outcome{
			smokerr.ErrResponse, errkit.Unavailable, 503, "gone away",
		}},
		{"page", "text/html", "<title>Bad</title>", 502, outcome{
			smokerr.ErrResponse, errkit.Unavailable, 502, "<title>Bad</title>",
		}},
		{"nothing", "", "", 500, outcome{smokerr.ErrResponse, errkit.Internal | errkit.Unavailable, 500, ""}},
		{"identity", "application/json", `{"status":"who?"}`, 401, outcome{smokerr.ErrClientFault, errkit.Auth, 401, "who?"}},
		{"rate", "", "", 429, outcome{smokerr.ErrClientFault, errkit.RateLimited, 429, ""}},
		{"not modified", "", "", 304, outcome{smokerr.ErrResponse, errkit.Unsupported, 304, ""}},
		{"no reply by name", "", "", 599, outcome{smokerr.ErrNoLink, errkit.Connection, 599, ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			client := hub(t, nil, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tc.kind)
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			})
			for _, endpoint := range endpoints {
				want := tc.want
				_, err := endpoint.call(t.Context(), client)
				switch {
				case tc.status != http.StatusNotFound:
				case endpoint.name == "DeleteMetadata":
					if err != nil {
						t.Errorf("deleting what is not there: %v", err)
					}
					continue
				case endpoint.name == "Metadata" || endpoint.name == "Slave":
					want.Class = smokerr.ErrNotFound
				}
				checkOutcome(t, err, want)
			}
		})
	}
}

// TestRefusalDetails checks what a refusal tells beside its status.
func TestRefusalDetails(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ż", 10<<10)
	client := hub(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		answerJSON(w, http.StatusTooManyRequests, `{"status":"`+long+`"}`)
	})
	err := client.PutMetadata(t.Context(), "k", "v", time.Unix(1, 0))
	response, ok := errors.AsType[*smokerr.ResponseError](err)
	if !ok {
		t.Fatalf("%v", err)
	}
	if response.RetryAfter != 7*time.Second || response.Method != "PUT" || response.Path != "/v1/device/metadata/plain/k" {
		t.Errorf("%v, %s %s", response.RetryAfter, response.Method, response.Path)
	}
	if len(response.Status) != 1<<10 || len(response.Body) > 4<<10 || len(response.Body) < 4<<10-2 {
		t.Errorf("%d bytes of text, %d of body", len(response.Status), len(response.Body))
	}
	if after, ok := errkit.RetryAfter(err); !ok || after != 7*time.Second {
		t.Errorf("retry after %v", after)
	}
	const want = "smok: hub.PutMetadata http://hub.test: request refused: ż"
	if !strings.HasPrefix(err.Error(), want) || len(err.Error()) > 1024 {
		t.Errorf("%v", err)
	}
}

// TestBadAnswers checks successes by status that are none: a typed error for calls that want to know something, and no
// matter for those that do not, but for pages: these come from a gateway that the request never got through.
func TestBadAnswers(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 513) + strings.Repeat("]", 513)
	for _, tc := range []struct {
		name, kind, body string
		ignored          bool // by calls that want no more than yes
		kinds            errkit.Kind
	}{
		{"no JSON", "application/json", "<?xml", true, errkit.Protocol},
		{"cut off", "application/json", `[{"path":"W1"`, true, errkit.Protocol},
		{"cut off object", "application/json", `{"device_id":"1"`, true, errkit.Protocol},
		{"text", "application/json", `"x"`, true, errkit.Protocol},
		{"more behind", "application/json", `[] []`, true, errkit.Protocol},
		{"too deep", "application/json", deep, true, errkit.Protocol | errkit.TooLarge},
		{"no MiniJSON", typeMiniJSON, "\x1c", true, errkit.Protocol},
		{"MiniJSON too deep", typeMiniJSON, strings.Repeat("\x41", 513) + "\x08", true, errkit.Protocol | errkit.TooLarge},
		{"page", "text/html; charset=utf-8", "<html>please log in</html>", false, errkit.Protocol},
		{"too long", "application/json", "[" + strings.Repeat(" ", 4<<10) + "]", false, errkit.Protocol | errkit.TooLarge},
		{"bomb", "bomb", "", false, errkit.Protocol | errkit.TooLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			client := hub(t, func(c *api.Config) { c.MaxBody = 4 << 10 }, func(w http.ResponseWriter, _ *http.Request) {
				if tc.kind == "bomb" {
					gzipBomb(w)
					return
				}
				w.Header().Set("Content-Type", tc.kind)
				_, _ = io.WriteString(w, tc.body)
			})
			for _, endpoint := range endpoints {
				_, err := endpoint.call(t.Context(), client)
				if tc.ignored && endpoint.answer == "" {
					if err != nil {
						t.Errorf("%s: %v", endpoint.name, err)
					}
					continue
				}
				checkOutcome(t, err, outcome{smokerr.ErrBadAnswer, tc.kinds, http.StatusOK, ""})
			}
		})
	}
}

// TestAnotherShape checks lists in place of objects and objects in place of lists.
func TestAnotherShape(t *testing.T) {
	t.Parallel()
	for _, tc := range endpoints {
		if tc.answer == "" {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			answer := `[[1]]`
			if strings.HasPrefix(tc.answer, "[") {
				answer = `{"a":[1]}`
			}
			client := hub(t, nil, func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, answer) })
			_, err := tc.call(t.Context(), client)
			checkOutcome(t, err, outcome{smokerr.ErrBadAnswer, errkit.Protocol, http.StatusOK, ""})
		})
	}
}

// TestBadEntries checks that one bad entry costs nothing but itself, and is told.
func TestBadEntries(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		endpoint, answer string
		want             any
		reports          []string // what and which
	}{
		{
			"SyncPathpoints", `[{"path":"a"},{"path":""},7,{"storage_level":1},{"path":"b","storage_level":9},{"path":"c","storage_level":"x"},{"path":"d"}]`,
			[]api.PathpointDef{{Path: "a", StorageLevel: 1}, {Path: "d", StorageLevel: 1}},
			[]string{"pathpoint 1", "pathpoint 2", "pathpoint 3", "pathpoint 4", "pathpoint 5"},
		},
		{
			"ArchiveList", `[{"interval":0,"pathpoints":[]},{"interval":-1},{"interval":"1"},{"interval":1e300},{"interval":5,"pathpoints":[""]},null,{"interval":5,"pathpoints":["W1"]}]`,
			[]api.ArchiveEntry{{Interval: 5 * time.Second, Pathpoints: []string{"W1"}}},
			[]string{"archive 0", "archive 1", "archive 2", "archive 3", "archive 4", "archive 5"},
		},
		{
			"Sensors", `[{"fqts":" ","path":"a"},{"fqts":"a"},{"fqts":"a","path":"a~"},{"fqts":["a"],"path":"a"},{"fqts":5,"path":"W1"}]`,
			[]api.SensorDef{{FQTS: "5", Pathpoints: []string{"W1"}}},
			[]string{"sensor 0", "sensor 1", "sensor 2", "sensor 3"},
		},
		{
			"Macros", `[{"commands":[]},{"macro_id":"m","commands":[{"path":"W1"}]},{"macro_id":"m","commands":[{"path":"","value":1}]},
				{"macro_id":"m","commands":[{"path":"W1","value":[1]}]},{"macro_id":"m","commands":[{"path":"W1","value":99999999999999999999}]},
				{"macro_id":"m","commands":[{"path":"f","value":1e999}]},{"macro_id":"m","commands":[{"path":"W1","value":null}]},
				{"macro_id":"m","occurrences":[{}]},{"macro_id":"m","occurrences":[{"timestamp":1795326769000}]},{"macro_id":4}]`,
			[]api.Macro{{ID: "4"}},
			[]string{"macro 0", "macro 1", "macro 2", "macro 3", "macro 4", "macro 5", "macro 6", "macro 7", "macro 8"},
		},
		{
			"Predicates", `[{"statistic":"x"},{"predicate_id":"p"},{"predicate_id":"p","statistic":"s","online":"yes"},
				{"predicate_id":"p","statistic":"s","silencing":[{"start":{"day":0}},{"start":{"day":1,"hour":1.5}},
				{"start":{"day":1,"hour":0,"minute":0},"stop":{"day":7,"hour":23,"minute":59}}]}]`,
			[]api.PredicateDef{{ID: "p", Online: true, Statistic: "s", Group: "B", Silencing: []api.Silencing{
				{Start: api.WeekTime{Day: 1}, Stop: api.WeekTime{Day: 7, Hour: 23, Minute: 59}},
			}}},
			[]string{"predicate 0", "predicate 1", "predicate 2", "silencing 0", "silencing 1"},
		},
		{
			"UploadEvents", `[{},{"uuid":"u-2"},{"uuid":"u-3"}]`, []string{"", "u-2"}, []string{"event id 0"},
		},
		{
			"BAOBs", `{"should_delete":["",1],"should_download":[{}]}`,
			api.BAOBPlan{Delete: []string{"1"}},
			[]string{"key to delete 0", "key to download 0"},
		},
		{
			"Slave", `{"linkstate":"{","instrumentation":"i"}`, api.SlaveState{Instrumentation: "i"}, []string{"link state 0"},
		},
		{
			"Slave", `{"linkstate":"{\"failed_devices\":[]}"}`, api.SlaveState{}, []string{"link state 0"},
		},
		{"Slave", `{"linkstate":"{}"}`, api.SlaveState{}, nil},
		{
			"DeviceInfo", `{"device_id":7,"facets":[1,{}],"slave_devices":[{},{"device_id":"s"}],"new":1}`,
			&api.DeviceInfo{DeviceID: "7", Facets: []string{"1"}, Slaves: []api.SlaveDevice{{DeviceID: "s"}}},
			[]string{"facet 1", "slave device 0"},
		},
	} {
		t.Run(tc.endpoint, func(t *testing.T) {
			t.Parallel()
			var reports []string
			client := hub(t, func(c *api.Config) {
				c.OnBadEntry = func(err error) {
					entry, ok := errors.AsType[*smokerr.EntryError](err)
					if !ok || !errors.Is(err, smokerr.Err) {
						t.Errorf("reported %v", err)
						return
					}
					reports = append(reports, fmt.Sprint(entry.What, " ", entry.Index))
				}
			}, func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, tc.answer) })
			for _, endpoint := range endpoints {
				if endpoint.name != tc.endpoint {
					continue
				}
				result, err := endpoint.call(t.Context(), client)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tc.want, result); d != "" {
					t.Errorf("result (-want +got)\n%s", d)
				}
				if d := cmp.Diff(tc.reports, reports); d != "" {
					t.Errorf("reports (-want +got)\n%s", d)
				}
			}
		})
	}
}

// TestCompleteLists checks which answers say of what is not in them that it is gone.
func TestCompleteLists(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]bool{
		`[]`: true, `[{"fqts":"a","path":"W1","predicate_id":"p","statistic":"s"}]`: true,
		``: false, `null`: false, `[7]`: false, `[{"fqts":"a","path":"W1","predicate_id":"p","statistic":"s"},{}]`: false,
	} {
		client := hub(t, func(c *api.Config) { c.OnBadEntry = nil }, func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, http.StatusOK, answer)
		})
		if _, complete, err := client.Sensors(t.Context()); complete != want || err != nil {
			t.Errorf("sensors %q: complete %t, %v", answer, complete, err)
		}
		if _, complete, err := client.Predicates(t.Context()); complete != want || err != nil {
			t.Errorf("predicates %q: complete %t, %v", answer, complete, err)
		}
	}
}

// TestManyBadEntries checks that a list of nothing but rubbish neither floods the hook nor the memory.
func TestManyBadEntries(t *testing.T) {
	t.Parallel()
	var reports []string
	client := hub(t, func(c *api.Config) { c.OnBadEntry = func(err error) { reports = append(reports, err.Error()) } },
		func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, http.StatusOK, "["+strings.Repeat("1,", 999)+"1]")
		})
	if sensors, complete, err := client.Sensors(t.Context()); err != nil || sensors != nil || complete {
		t.Fatalf("%v, %v", sensors, err)
	}
	if len(reports) != 17 || !strings.Contains(reports[16], "and 984 more") {
		t.Errorf("%d reports, the last one %s", len(reports), reports[len(reports)-1])
	}

	endless := hub(t, func(c *api.Config) { c.OnBadEntry = nil }, func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, http.StatusOK, "["+strings.Repeat("1,", 1<<16)+"1]")
	})
	_, err := endless.ArchiveList(t.Context())
	checkOutcome(t, err, outcome{smokerr.ErrBadAnswer, errkit.Protocol | errkit.TooLarge, http.StatusOK, ""})
}

// TestMetadataOfUnknownKey checks that the cause of a missing key is still there.
func TestMetadataOfUnknownKey(t *testing.T) {
	t.Parallel()
	client := hub(t, nil, func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 404, `{"status":"no"}`) })
	_, _, err := client.Metadata(t.Context(), "k")
	missing, ok := errors.AsType[*smokerr.NotFoundError](err)
	if !ok || missing.What != "metadata" || missing.Key != "k" || !errors.Is(err, smokerr.ErrClientFault) {
		t.Errorf("%v", err)
	}
	if report, _ := json.Marshal(errkit.NewReport(err)); !strings.Contains(string(report), `"key":"k"`) {
		t.Errorf("%s", report)
	}
}
