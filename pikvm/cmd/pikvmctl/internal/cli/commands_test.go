package cli_test

import (
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestOutput checks what commands print, for people and for programs.
func TestOutput(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{
		TLS: true, SwitchUnits: 1, Host: pikvmtest.HostOptions{PoweredOn: true},
		GPIO:     []pikvmtest.GPIOChannel{{Name: "door", Input: true, On: true}, {Name: "relay", Switch: true}},
		Streamer: pikvmtest.StreamerOptions{Text: "debian login:", Forever: true},
		MSD:      pikvmtest.MSDOptions{Capacity: 1 << 20},
	})
	if err := device.PutImage("a.iso", make([]byte, 3000)); err != nil {
		t.Fatal(err)
	}
	if err := device.PutIncompleteImage("b.iso", 5); err != nil {
		t.Fatal(err)
	}
	u := at(t, device)
	for _, tc := range []struct{ args, text, json string }{
		{
			"check", "URL lets admin in and runs version 4.197\n",
			`{"url":"URL","user":"admin","version":"4.197"}`,
		},
		{"fingerprint", "PIN\n", `{"url":"URL","sha256":"PIN"}`},
		{"atx", "power  on\ndisk   off\nbusy   no\n", `{"enabled":true,"power":true,"disk":false,"busy":false}`},
		{"atx on", "power  on\n", `{"power":true}`},
		{"atx wait on", "power  on\n", `{"power":true}`},
		{
			"gpio", "CHANNEL             KIND    STATE\ndoor                input   on\n__v3_usb_breaker__  output  on\nrelay               output  off\n",
			`{"inputs":[{"channel":"door","on":true,"online":true}],"outputs":[` +
				`{"channel":"__v3_usb_breaker__","on":true,"online":true,"busy":false,"switch":true,"pulse":false},` +
				`{"channel":"relay","on":false,"online":true,"busy":false,"switch":true,"pulse":false}]}`,
		},
		{
			"switch", "PORT  NAME  POWER  VIDEO  USB\n1           off    no     no   active\n2           off    no     no\n" +
				"3           off    no     no\n4           off    no     no\n",
			`{"active":"1","units":1,"ports":[{"port":"1","name":"","power":false,"video":false,"usb":false,"busy":false},` +
				`{"port":"2","name":"","power":false,"video":false,"usb":false,"busy":false},` +
				`{"port":"3","name":"","power":false,"video":false,"usb":false,"busy":false},` +
				`{"port":"4","name":"","power":false,"video":false,"usb":false,"busy":false}]}`,
		},
		{
			"msd", "a.iso  2.9 KiB\nb.iso  5 B         incomplete\nfree   1021.1 KiB  of 1.0 MiB\ndrive  empty       not connected\n",
			`{"online":true,"busy":false,"drive":{"connected":false,"image":"","cdrom":false,"writable":false},` +
				`"images":[{"name":"a.iso","size":3000,"complete":true},{"name":"b.iso","size":5,"complete":false}],` +
				`"free":1045571,"size":1048576,"transfer":null}`,
		},
		{"ocr", "debian login:\n", `{"text":"debian login:\n"}`},
		{"wait-text login:", "debian login:\n", `{"text":"debian login:\n"}`},
		{"key ctrl+alt+del", "", `{"ok":true}`},
		{"devices", "", `[]`},
	} {
		text := u.does(strings.Fields(tc.args)...)
		if d := cmp.Diff(tc.text, plain(u, text)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tc.args, d)
		}
		object := u.does(append(strings.Fields(tc.args), "-o", "json")...)
		if d := cmp.Diff(tc.json+"\n", plain(u, object)); d != "" {
			t.Errorf("%s -o json (-want +got):\n%s", tc.args, d)
		}
	}
}

// plain puts words where a device has an address and a certificate of its own.
func plain(u *user, text string) string {
	return strings.NewReplacer(u.env["PIKVM_URL"], "URL", u.env["PIKVM_PIN"], "PIN").Replace(text)
}

// TestInfo: the essence for people, everything for programs.
func TestInfo(t *testing.T) {
	t.Parallel()
	u := at(t, start(t, pikvmtest.Options{}))
	text := u.does("info")
	for _, want := range []string{"version    4.197\n", "host       pikvm\n", "cpu        36.5 °C\n", "throttled  no\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	var got struct {
		Version string  `json:"version"`
		CPU     float64 `json:"cpu_celsius"`
		Parts   map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(u.does("info", "-o", "json")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != "4.197" || got.CPU < 30 || got.Parts["system"] == nil || got.Parts["health"] == nil {
		t.Errorf("%+v", got)
	}
	var metrics struct{ Samples map[string]float64 }
	if err := json.Unmarshal([]byte(u.does("metrics", "-o", "json")), &metrics); err != nil {
		t.Fatal(err)
	}
	if power, ok := metrics.Samples["pikvm_atx_power"]; !ok || power != 0 || !strings.Contains(u.does("metrics"), "\npikvm_atx_power 0\n") {
		t.Errorf("metrics %v", metrics.Samples)
	}
}

// TestPower switches a host off and on, and tells about the steps whoever watches.
func TestPower(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{Host: pikvmtest.HostOptions{PoweredOn: true}})
	u := at(t, device)
	for _, tc := range []struct {
		args []string
		want string
		on   bool
	}{
		{[]string{"atx", "off"}, "power  off\n", false},
		{[]string{"atx", "on"}, "power  on\n", true},
		{[]string{"atx", "cycle", "--off-time", "1ms"}, "power  on\n", true},
		{[]string{"atx", "reset"}, "power  on\n", true},
		{[]string{"atx", "off-hard"}, "power  off\n", false},
		{[]string{"atx", "click", "power", "--busy-wait", "10s"}, "", true},
	} {
		if got := u.does(tc.args...); got != tc.want {
			t.Errorf("%v printed %q, want %q", tc.args, got, tc.want)
		}
		if tc.args[1] == "click" {
			u.does("atx", "wait", "on")
		}
		if device.HostPower() != tc.on {
			t.Errorf("after %v the host's power is %v", tc.args, device.HostPower())
		}
	}
	watcher := *u
	watcher.terminal = true
	if r := watcher.runs("atx", "off"); !strings.Contains(r.err, ": press off\n") || r.out != "power  off\n" {
		t.Errorf("on a terminal: %+v", r)
	}
}

// TestInput: what keyboard, mouse and text commands do to the host.
func TestInput(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		args  []string
		stdin string
		typed string
		last  pikvmtest.HIDEvent // without its time and origin
	}{
		{name: "arguments", args: []string{"type", "--pace", "0", "two", "words"}, typed: "two words"},
		{name: "enter", args: []string{"type", "--pace", "0", "--enter", "ls"}, typed: "ls\n"},
		{name: "stdin", args: []string{"type", "--pace", "0"}, stdin: "from a pipe\n", typed: "from a pipe\n"},
		{name: "layout", args: []string{"type", "--pace", "0", "--layout", "de", "z"}, typed: "y"},
		{name: "escapes", args: []string{"type", "--pace", "0", "--escapes", "ls<enter>"}, typed: "ls\n"},
		{name: "device", args: []string{"type", "--print", "Hello!"}, typed: "Hello!"},
		{name: "keys", args: []string{"key", "a", "shift+b", "enter"}, typed: "aB\n"},
		{name: "middle", args: []string{"mouse", "move", "50%", "50%"}, last: pikvmtest.HIDEvent{Kind: pikvmtest.HIDMove}},
		{name: "corner", args: []string{"mouse", "move", "0%", "100%"}, last: pikvmtest.HIDEvent{Kind: pikvmtest.HIDMove, X: -32768, Y: 32767}},
		{name: "pixel", args: []string{"mouse", "move", "1279", "0", "--screen", "1280x720"}, last: pikvmtest.HIDEvent{Kind: pikvmtest.HIDMove, X: 32767, Y: -32768}},
		{name: "pixel of the device", args: []string{"mouse", "move", "1919", "0"}, last: pikvmtest.HIDEvent{Kind: pikvmtest.HIDMove, X: 32767, Y: -32768}},
		{name: "click", args: []string{"mouse", "click", "right"}, last: pikvmtest.HIDEvent{Kind: pikvmtest.HIDButton, Name: "right"}},
		{name: "wheel", args: []string{"mouse", "wheel", "--", "0", "-5"}, last: pikvmtest.HIDEvent{Kind: pikvmtest.HIDWheel, Y: -5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			device := start(t, pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Forever: true}})
			u := at(t, device)
			u.stdin = strings.NewReader(tc.stdin)
			u.does(tc.args...)
			if got := device.Typed(); got != tc.typed {
				t.Errorf("typed %q, want %q", got, tc.typed)
			}
			log := device.HIDLog()
			if len(log) == 0 {
				t.Fatal("nothing reached the host")
			}
			if tc.typed == "" {
				got := log[len(log)-1]
				got.Time, got.Origin = tc.last.Time, ""
				if d := cmp.Diff(tc.last, got); d != "" {
					t.Errorf("last input (-want +got):\n%s", d)
				}
			}
			if pressed := device.Pressed(); len(pressed) > 0 {
				t.Errorf("still pressed: %v", pressed)
			}
		})
	}
}

// TestInputRefused: wrong arguments are found before anything is sent.
func TestInputRefused(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{})
	u := at(t, device)
	for _, args := range [][]string{
		{"mouse", "move", "101%", "0%"},
		{"mouse", "move", "NaN%", "0%"},
		{"mouse", "move", "1280", "0", "--screen", "1280x720"},
		{"mouse", "move", "1", "0", "--screen", "1280"},
		{"mouse", "click", "nose"},
		{"mouse", "wheel", "--", "0", "-128"},
		{"mouse", "by", "x", "1"},
		{"key", "a", "nope"},
		{"type", "--hidden", "text"},
		{"type", "--layout", "xx", "text"},
		{"type", "--print", "--layout", "de", "text"},
		{"type", "--hidden"},
		{"type", "--slow", "--delay", "1s", "x"},
		{"gpio", "switch", "relay1", "maybe"},
		{"gpio", "pulse", "relay1", "-1s"},
		{"atx", "click", "nose"},
		{"ocr", "--region", "1,2,3"},
		{"ocr", "--region", "5,0,5,9"},
		{"wait-text", "("},
		{"switch", "power", "1", "explode"},
		{"logs", "--since", "1.5s"},
		{"login", "--expire", "-1s"},
		{"logout"},
		{"atx", "--jobs", "0"},
		{"atx", "--timeout", "-1s"},
		{"msd", "download", "a.iso", "b.iso", "c.iso"},
	} {
		u.fails(2, args...)
	}
	for _, request := range device.Requests() {
		t.Errorf("%s %s was sent", request.Method, request.Path)
	}
}

// TestWaitForScreen: what is there already ends the waiting.
func TestWaitForScreen(t *testing.T) {
	t.Parallel()
	u := at(t, start(t, pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Text: "hello", Forever: true}}))
	if got := u.does("wait-signal", "on", "-o", "json"); got != `{"ok":true}`+"\n" {
		t.Errorf("printed %q", got)
	}
	u.fails(6, "wait-change", "--limit", "50ms")
	u.fails(6, "wait-signal", "off", "--limit", "50ms")
}

// TestSnapshot takes pictures of a device at rest, as JPEG and as PNG, into a file and into a pipe.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	u := at(t, start(t, pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Text: "hello"}}))
	dir := t.TempDir()
	if got := u.does("snapshot", filepath.Join(dir, "a.jpg")); !regexp.MustCompile(`a\.jpg: 1920x1080, [0-9.]+ KiB\n$`).MatchString(got) {
		t.Errorf("printed %q", got)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "a.jpg")); err != nil || !strings.HasPrefix(string(data), "\xff\xd8") {
		t.Errorf("no JPEG: %v", err)
	}
	u.does("snapshot", filepath.Join(dir, "a.png"))
	file, err := os.Open(filepath.Join(dir, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if config, err := png.DecodeConfig(file); err != nil || config.Width != 1920 {
		t.Errorf("PNG %+v, %v", config, err)
	}
	if out := u.does("snapshot", "--preview", "320x200", "-"); !strings.HasPrefix(out, "\xff\xd8") {
		t.Errorf("no JPEG in the pipe, but %d bytes", len(out))
	}
	u.does("snapshot", "--save", filepath.Join(dir, "saved.jpg"))
	u.does("snapshot", "--load", filepath.Join(dir, "loaded.jpg"))
	u.fails(1, "snapshot", filepath.Join(dir, "no", "such", "folder.jpg"))
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestOutputs works channels and ports.
func TestOutputs(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{SwitchUnits: 1})
	u := at(t, device)
	u.does("gpio", "switch", "relay1", "on", "--wait")
	u.does("gpio", "pulse", "button1", "--wait")
	var changes []string
	for _, event := range device.GPIOLog() {
		changes = append(changes, event.Channel)
	}
	if d := cmp.Diff([]string{"relay1", "button1", "button1"}, changes); d != "" {
		t.Errorf("changes of outputs (-want +got):\n%s", d)
	}
	u.does("switch", "rename", "2", "database")
	u.does("switch", "select", "database")
	u.does("switch", "beacon", "2", "on")
	if line := u.fails(2, "switch", "select", "9"); !strings.Contains(line, "only 1, 2, 3, 4") {
		t.Errorf("stderr %q", line)
	}
	none := at(t, start(t, pikvmtest.Options{}))
	if line := none.fails(2, "switch", "select", "1"); !strings.Contains(line, "there is no switch") {
		t.Errorf("stderr %q", line)
	}
	if got := none.does("switch"); got != "there is no switch\n" {
		t.Errorf("printed %q", got)
	}
}

// TestSession opens a session for another program, which then needs no password, and ends it.
func TestSession(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{})
	u := at(t, device)
	token := u.does("login", "--expire", "1m")
	if !regexp.MustCompile(`^[0-9a-f]{64}\n$`).MatchString(token) {
		t.Fatalf("token %q", token)
	}
	u.stdin = strings.NewReader(token)
	u.does("logout")
	u.stdin = strings.NewReader(token)
	u.fails(3, "logout")
}

// TestLogs prints the journal, as it is and as JSON.
func TestLogs(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{})
	device.Log("kvmd", "hello <world>")
	u := at(t, device)
	if got := u.does("logs", "--since", "1h"); !strings.HasSuffix(got, " kvmd.service] --- hello <world>\n") {
		t.Errorf("printed %q", got)
	}
	lines := strings.Split(strings.TrimSpace(u.does("logs", "-o", "json")), "\n")
	var record struct{ Time, Unit, Message string }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &record); err != nil {
		t.Fatal(err)
	}
	if record.Unit != "kvmd" || record.Message != "hello <world>" || len(record.Time) != len("2006-01-02T15:04:05") {
		t.Errorf("%+v", record)
	}
}

// TestWatch prints events as lines of JSON: what there is first, then what happens.
func TestWatch(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{})
	u := at(t, device)
	for _, args := range [][]string{{"watch", "--type", "atx", "--count", "1"}, {"msd", "watch", "--until-idle"}} {
		var line map[string]json.RawMessage
		if err := json.Unmarshal([]byte(u.does(args...)), &line); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
	device.Restart(0)
	if got := u.does("watch", "--count", "3"); strings.Count(got, "\n") != 3 {
		t.Errorf("not three events:\n%s", got)
	}
}
