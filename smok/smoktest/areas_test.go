package smoktest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

func TestDeviceInfo(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p := connect(t, hub, "1")
	p.want("GET", "/v1/device", nil, `{"device_id":"1","verbose_name":"1","facets":[],
		"culture_context":{"timezone":"UTC","units":"metric","language":"en"},"slave_devices":[]}`)
	info := smoktest.Info{
		VerboseName: "Test device", Facets: []string{"smoke"}, Timezone: "Europe/Warsaw", Units: "metric", Language: "pl",
		Slaves: []smoktest.Slave{{ID: "1", Master: "1", Configuration: "rapid 1", ResponsibleService: "rapid"}},
	}
	hub.Device("1").SetInfo(info)
	p.want("GET", "/v1/device", nil, `{"device_id":"1","verbose_name":"Test device","facets":["smoke"],
		"culture_context":{"timezone":"Europe/Warsaw","units":"metric","language":"pl"},
		"slave_devices":[{"device_id":"1","master_controller":"1","configuration":"rapid 1","responsible_service":"rapid"}]}`)
	if d := cmp.Diff(info, hub.Device("1").Info()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	connect(t, hub, "2").want("GET", "/v1/device", nil, `{"device_id":"2","verbose_name":"2","facets":[],
		"culture_context":{"timezone":"UTC","units":"metric","language":"en"},"slave_devices":[]}`)
}

func TestDefinitionSync(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	pump.SetPathpoint("W2", smoktest.Permanent)
	pump.SetPathpoint("w9", smoktest.Trend)
	def := func(path string, level any) object { return object{"path": path, "storage_level": level} }
	p.want("PUT", pathpoints, list{def("W2", 1), def("B1", 0)},
		`[{"path":"B1","storage_level":0},{"path":"W2","storage_level":0},{"path":"w9","storage_level":1}]`)
	p.want("PUT", pathpoints, list{def("B1", 1)},
		`[{"path":"B1","storage_level":1},{"path":"W2","storage_level":0},{"path":"w9","storage_level":1}]`)
	want := []smoktest.Pathpoint{
		{Path: "B1", StorageLevel: 1, Registered: true}, {Path: "W2", Fixed: true}, {Path: "w9", StorageLevel: 1, Fixed: true},
	}
	for _, bad := range []object{def("W1", 2), def("W1", -1), def("W1", "1"), def("W1", nil), def("r1", 0), {"path": "W1"}} {
		p.refused("PUT", pathpoints, list{def("W1", 0), bad}, http.StatusBadRequest)
	}
	if d := cmp.Diff(want, pump.Pathpoints()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestArchivesSensorsPredicates(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	for _, path := range []string{"/v1/device/pathpoints/archived", "/v1/device/sensors", "/v1/device/predicates"} {
		p.want("GET", path, nil, `[]`)
	}
	pump.SetArchives(smoktest.Archive{Interval: time.Minute, Pathpoints: []string{"W1", "f2"}}, smoktest.Archive{Interval: time.Second})
	p.want("GET", "/v1/device/pathpoints/archived", nil, `[{"interval":60,"pathpoints":["W1","f2"]},{"interval":1,"pathpoints":[]}]`)
	pump.SetSensors(smoktest.Sensor{FQTS: "a b", Paths: []string{"W1", "W2"}, Type: "std.Number10"})
	p.want("GET", "/v1/device/sensors", nil, `[{"fqts":"a b","path":"W1~W2","type":"std.Number10"}]`)
	pump.SetPredicates(
		smoktest.Predicate{
			ID: "p1", Statistic: "hot", Configuration: map[string]any{"path": "W1"}, VerboseName: "Hot", Group: "B",
			Silencing: []smoktest.Silence{{smoktest.WeekTime{6, 22, 0}, smoktest.WeekTime{1, 6, 30}}},
		},
		smoktest.Predicate{ID: "p2", Offline: true},
	)
	p.want("GET", "/v1/device/predicates", nil, `[
		{"predicate_id":"p1","online":true,"statistic":"hot","configuration":{"path":"W1"},"verbose_name":"Hot","group":"B",
		 "silencing":[{"start":{"day":6,"hour":22,"minute":0},"stop":{"day":1,"hour":6,"minute":30}}]},
		{"predicate_id":"p2","online":false,"statistic":"","configuration":null,"verbose_name":"","group":""}]`)
}

func TestSensorWrites(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	const path = "/v1/device/sensor/write_log"
	entry := func() object {
		return object{
			"timestamp": int64(1795326768643), "who": "me", "hr_sensor": "Pump", "hr_value": "on", "fqts": "pump", "value": "1",
			"reason": "test",
		}
	}
	p.want("PUT", path, list{entry(), entry()}, `{}`)
	for _, key := range []string{"timestamp", "who", "hr_sensor", "hr_value", "fqts", "value", "reason"} {
		for _, v := range []any{nil, 1.5} {
			bad := entry()
			bad[key] = v
			p.refused("PUT", path, list{entry(), bad}, http.StatusBadRequest)
		}
		bad := entry()
		delete(bad, key)
		p.refused("PUT", path, list{entry(), bad}, http.StatusBadRequest)
	}
	write := smoktest.SensorWrite{
		Time: time.UnixMilli(1795326768643).UTC(), Who: "me", ReadableFQTS: "Pump", ReadableValue: "on", FQTS: "pump", Value: "1",
		Reason: "test", Request: 1,
	}
	if d := cmp.Diff([]smoktest.SensorWrite{write, write}, pump.SensorWrites()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n := pump.Counts().Writes; n != 2 {
		t.Errorf("%d writes", n)
	}
}

func TestMacros(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	at := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	pump.SetMacros(
		smoktest.Macro{
			ID: "m 1", Commands: []smoktest.Command{{"W1", 5}, {"uX", "on"}},
			Occurrences: []smoktest.Occurrence{{Time: at(100)}, {Time: at(200)}, {Time: at(300), Completed: true}},
		},
		smoktest.Macro{ID: "later", Occurrences: []smoktest.Occurrence{{Time: at(1000)}}},
	)
	const window = "/v1/device/macro/occurrences/"
	p.want("GET", window+"100-300", nil, `[{"macro_id":"m 1","commands":[{"path":"W1","value":5},{"path":"uX","value":"on"}],
		"occurrences":[{"timestamp":100,"completed":false},{"timestamp":200,"completed":false},{"timestamp":300,"completed":true}]}]`)
	p.want("GET", window+"101-200", nil, `[{"macro_id":"m 1","commands":[{"path":"W1","value":5},{"path":"uX","value":"on"}],
		"occurrences":[{"timestamp":200,"completed":false}]}]`)
	p.want("GET", window+"301-999", nil, `[]`)
	for _, bad := range []string{"100", "100-", "2.5-3", "200-100", "a-b"} {
		p.refused("GET", window+bad, nil, http.StatusBadRequest)
	}
	p.want("POST", "/v1/device/macros/m%201/200", nil, `{}`)
	p.want("POST", "/v1/device/macros/m%201/200", nil, `{}`)
	p.refused("POST", "/v1/device/macros/m%201/201", nil, http.StatusNotFound)
	p.refused("POST", "/v1/device/macros/m2/200", nil, http.StatusNotFound)
	p.refused("POST", "/v1/device/macros/m%201/200.0", nil, http.StatusBadRequest)
	want := []smoktest.Occurrence{{Time: at(100)}, {at(200), true, 2}, {Time: at(300), Completed: true}}
	if d := cmp.Diff(want, pump.Macros()[0].Occurrences); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n := pump.Counts().Macros; n != 2 {
		t.Errorf("%d confirmations", n)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	const path = "/v1/device/metadata/plain/"
	put := func(value string, at any) object { return object{"value": value, "unless_timestamp_higher": at} }
	p.refused("GET", path+"a%20b", nil, http.StatusNotFound)
	p.want("PUT", path+"a%20b", put("one", 1000), `{}`)
	p.want("GET", path+"a%20b", nil, `{"value":"one","timestamp":1000}`)
	p.want("PUT", path+"a%20b", put("older", 999), `{}`) // taken and ignored
	p.want("GET", path+"a%20b", nil, `{"value":"one","timestamp":1000}`)
	p.want("PUT", path+"a%20b", put("same time", 1000), `{}`)
	p.want("PUT", path+"a+b%2Fc", put("plus", 1.5), `{}`)
	p.want("GET", path+"a+b%2Fc", nil, `{"value":"plus","timestamp":1.5}`)
	if value, at, ok := pump.Metadata("a+b/c"); value != "plus" || !at.Equal(time.UnixMilli(1500)) || !ok {
		t.Errorf("%q %v %v", value, at, ok)
	}
	if n := pump.Counts().FloatTimes; n != 1 {
		t.Errorf("%d times came as floats", n)
	}
	p.want("DELETE", path+"a%20b", nil, `{}`)
	p.want("DELETE", path+"a%20b", nil, `{}`)
	if _, _, ok := pump.Metadata("a b"); ok {
		t.Error("still there")
	}
	pump.SetMetadata("x", "from the hub", time.Unix(5, 0))
	p.want("GET", path+"x", nil, `{"value":"from the hub","timestamp":5}`)
	pump.DeleteMetadata("x")
	p.refused("GET", path+"x", nil, http.StatusNotFound)
	for _, bad := range []any{list{}, object{"value": "x"}, put("x", "now"), put("x", -1), object{"value": 1, "unless_timestamp_higher": 1}} {
		p.refused("PUT", path+"x", bad, http.StatusBadRequest)
	}
	p.refused("GET", path, nil, http.StatusNotFound)
	p.refused("POST", path+"x", nil, http.StatusMethodNotAllowed)
}

func TestPlusIsSpace(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{PlusIsSpace: true})
	p := connect(t, hub, "pump")
	p.want("PUT", "/v1/device/metadata/plain/a+b%2B", object{"value": "x", "unless_timestamp_higher": 1}, `{}`)
	if _, _, ok := hub.Device("pump").Metadata("a b+"); !ok {
		t.Error("the key was read otherwise")
	}
}

func TestSlaves(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	const path = "/v1/device/instrumentation/"
	p.refused("GET", path+"s1", nil, http.StatusNotFound)
	p.refused("PATCH", path+"s1", object{"instrumentation": "x"}, http.StatusNotFound)
	if _, ok := pump.Slave("s1"); ok || pump.ID() != "pump" {
		t.Error("a slave of nobody")
	}
	pump.SetInfo(smoktest.Info{Slaves: []smoktest.Slave{{ID: "s1"}}})
	p.want("GET", path+"s1", nil, `{"linkstate":"{}","instrumentation":""}`)
	p.want("PATCH", path+"s1", object{"linkstate": `{"status":true,"failed_devices":[1,2]}`}, `{}`)
	p.want("PATCH", path+"s1", object{"instrumentation": "3 bar"}, `{}`)
	for _, bad := range []any{
		object{},
		list{},
		object{"linkstate": `{"status":true}`, "instrumentation": "x"},
		object{"linkstate": object{"status": true}},
		object{"linkstate": `{}`},
		object{"linkstate": `{"status":1}`},
		object{"linkstate": `{`},
		object{"linkstate": `{"status":true,"failed_devices":["x"]}`},
		object{"instrumentation": 5},
		object{"other": "x"},
	} {
		p.refused("PATCH", path+"s1", bad, http.StatusBadRequest)
	}
	want := smoktest.SlaveState{LinkState: []byte(`{"status":true,"failed_devices":[1,2]}`), Instrumentation: "3 bar"}
	got, _ := pump.Slave("s1")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	pump.SetSlave("s2", smoktest.SlaveState{LinkState: []byte("not JSON")})
	p.want("GET", path+"s2", nil, `{"linkstate":"not JSON","instrumentation":""}`)
}
