package pikvmtest_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestBadStorageOptions checks what the options of the storage, of channels and of the switch refuse.
func TestBadStorageOptions(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]pikvmtest.Options{
		"capacity":        {MSD: pikvmtest.MSDOptions{Capacity: -1}},
		"directory":       {MSD: pikvmtest.MSDOptions{Directories: []string{"../x"}}},
		"absolute":        {MSD: pikvmtest.MSDOptions{Directories: []string{"/x"}}},
		"remote":          {MSD: pikvmtest.MSDOptions{Remotes: map[string]pikvmtest.RemoteImage{"http://x": {Size: -1}}}},
		"fetch by what":   {MSD: pikvmtest.MSDOptions{FetchFrom: []string{"ftp://h/"}}},
		"fetch of a host": {MSD: pikvmtest.MSDOptions{FetchFrom: []string{"http://127.0.0.1:80"}}},
		"channel":         {GPIO: []pikvmtest.GPIOChannel{{Name: "1a"}}},
		"channel twice":   {GPIO: []pikvmtest.GPIOChannel{{Name: "a"}, {Name: "a"}}},
		"channel's pulse": {GPIO: []pikvmtest.GPIOChannel{{Name: "a", Pulse: -1}}},
		"units":           {SwitchUnits: 6},
	} {
		t.Run(name, func(t *testing.T) {
			srv := pikvmtest.New(&opts)
			if err := srv.Start(); err == nil {
				t.Error("no error")
			}
			_ = srv.Close()
		})
	}
}

var storageVarying = regexp.MustCompile(`"(mod_ts|free)":[0-9.e+]+`)

// msdEvents returns the events of the storage as text, without the time and room in them.
func (l *listener) msdEvents() []string {
	var events []string
	for _, m := range l.take() {
		if m.Type != "msd" {
			continue
		}
		text, err := json.Marshal(m.Event)
		if err != nil {
			l.t.Fatal(err)
		}
		events = append(events, storageVarying.ReplaceAllString(string(text), `"$1":0`))
	}
	return events
}

// TestStorageEvents checks what event sockets hear of an upload and of a removal: the recorded events of a small image,
// in their order, with the list a second behind.
func TestStorageEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		l := k.listen(quiet)
		synctest.Wait()
		l.take()
		k.want(k.do("POST", "/api/msd/write?image=a.iso", upload(1000)), 200, "", "")
		synctest.Wait()
		const image = `{"complete":true,"mod_ts":0,"removable":true,"size":1000,"writable":false}`
		const ghost = `{"complete":true,"mod_ts":0,"removable":true,"size":0,"writable":false}`
		const parts = `"parts":{"":{"free":0,"size":8414195712,"writable":true}}`
		for _, step := range []struct {
			do    func()
			after time.Duration
			want  []string
		}{
			{func() {}, 0, []string{
				`{"busy":true,"storage":{"uploading":{"name":"a.iso","size":1000,"written":0}}}`,
				`{"storage":{"uploading":{"name":"a.iso","size":1000,"written":1000}}}`,
				`{"busy":false,"storage":{"uploading":null}}`,
			}},
			{func() {}, 974 * time.Millisecond, nil},
			{func() {}, time.Millisecond, []string{`{"storage":{"images":{"a.iso":` + image + `},` + parts + `}}`}},
			{func() {
				k.want(k.do("POST", "/api/msd/write?image=a.iso", upload(1)), 400, "MsdImageExistsError", "This image is already exists")
			}, 0, []string{
				`{"busy":true}`, `{"busy":false}`,
			}},
			{func() { k.want(k.do("POST", "/api/msd/remove?image=a.iso"), 200, "", "") }, 0, []string{
				`{"storage":{"images":{"a.iso":` + ghost + `}}}`,
			}},
			{func() {
				k.want(k.do("POST", "/api/msd/write?image=a.iso", upload(1)), 400, "MsdImageExistsError", "This image is already exists")
			}, 0, []string{
				`{"busy":true}`, `{"busy":false}`,
			}},
			{func() {}, time.Second, []string{`{"storage":{"images":{},` + parts + `}}`}},
		} {
			step.do()
			time.Sleep(step.after)
			synctest.Wait()
			if d := cmp.Diff(step.want, l.msdEvents()); d != "" {
				t.Errorf("events (-want +got):\n%s", d)
			}
		}
	})
}

// TestStorageVersions checks the members and endpoints of older devices.
func TestStorageVersions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		version string
		has     []string // in the answer
		not     []string
		read    int // status of a download
		media   int // status of the drive in Redfish
	}{
		{"4.197", []string{`"writable"`, `"removable"`, `"parts"`, `"rw"`}, []string{`"name": "a.img"`}, 200, 200},
		{"4.131", []string{`"removable"`, `"parts"`, `"rw"`}, []string{`"writable"`}, 200, 404},
		{"3.205", []string{`"removable"`, `"name": "a.img"`, `"rw"`}, []string{`"writable"`, `"parts"`}, 200, 404},
		{"3.123", []string{`"name": "a.img"`}, []string{`"writable"`, `"removable"`, `"parts"`, `"rw"`}, 404, 404},
	} {
		t.Run(tc.version, func(t *testing.T) {
			t.Parallel()
			k := start(t, &pikvmtest.Options{Version: tc.version})
			if err := k.PutImage("a.img", []byte("x")); err != nil {
				t.Fatal(err)
			}
			state := k.do("GET", "/api/msd").Body
			for _, member := range tc.has {
				if !strings.Contains(state, member) {
					t.Errorf("no %s in %s", member, state)
				}
			}
			for _, member := range tc.not {
				if strings.Contains(state, member) {
					t.Errorf("%s in %s", member, state)
				}
			}
			if got := k.do("GET", "/api/msd/read?image=a.img").Status; got != tc.read {
				t.Errorf("download: %d, want %d", got, tc.read)
			}
			if got := k.do("GET", "/redfish/v1/Managers/BMC/VirtualMedia/MSD").Status; got != tc.media {
				t.Errorf("redfish: %d, want %d", got, tc.media)
			}
		})
	}
}

// TestLargeImage: what is too large for memory is kept elsewhere, and comes back as it was.
func TestLargeImage(t *testing.T) {
	t.Parallel()
	k := start(t, nil)
	data := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
	k.want(k.do("POST", "/api/msd/write?image=a.img", body("application/octet-stream", string(data))), 200, "", "")
	got, err := k.ImageContent("a.img")
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d other bytes, %v", len(got), err)
	}
	if a := k.do("GET", "/api/msd/read?image=a.img"); a.Body != string(data) {
		t.Errorf("download has %d other bytes", len(a.Body))
	}
	if _, err := k.ImageContent("none"); err == nil {
		t.Error("there is an image that is not there")
	}
	if err := k.PutImage("../a", nil); err == nil {
		t.Error("an image has a bad name")
	}
}

// TestStorageRestart: a daemon that starts anew has no upload under way, and remembers what was stored.
func TestStorageRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		u := k.begin("/api/msd/write?image=a.img", 100000)
		u.send(50000)
		time.Sleep(time.Second)
		k.Restart(0)
		u.cancel() // the client has noticed
		time.Sleep(2 * time.Second)
		images := k.Images()
		if len(images) != 1 || images[0].Complete || images[0].Size != 100000 {
			t.Errorf("images are %+v", images)
		}
		k.want(k.do("POST", "/api/msd/remove?image=a.img"), 200, "", "")
	})
}

// TestPublicMetrics: with the option everybody sees the metrics, and nothing else.
func TestPublicMetrics(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		opts pikvmtest.Options
		want int
	}{
		{pikvmtest.Options{}, 401},
		{pikvmtest.Options{MetricsPublic: true}, 200},
		{pikvmtest.Options{MetricsPublic: true, Version: "3.245"}, 401},
	} {
		k := start(t, &tc.opts)
		if got := k.do("GET", "/api/export/prometheus/metrics", anonymous).Status; got != tc.want {
			t.Errorf("%+v: status %d, want %d", tc.opts, got, tc.want)
		}
		if got := k.do("GET", "/api/msd", anonymous).Status; got != 401 {
			t.Errorf("the storage: status %d", got)
		}
	}
}

// TestSwitchPorts checks how the device reads the argument of a port.
func TestSwitchPorts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{SwitchUnits: 5})
		for arg, want := range map[string]float64{
			"5": 5, "5.0": 5, "2.3": 6, "1.25": 3, "9.9": 19, "5.4": 19, "0.1": 0, "0": 0,
		} {
			k.want(k.do("POST", "/api/switch/set_active?port="+arg), 200, "", "")
			time.Sleep(time.Second)
			summary := k.result(k.do("GET", "/api/switch"))["summary"].(map[string]any)
			if summary["active_port"] != want {
				t.Errorf("%s is port %v, want %v", arg, summary["active_port"], want)
			}
		}
	})
}
