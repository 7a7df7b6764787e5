package pikvm_test

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

func readTestdata(tb testing.TB, name string) string {
	tb.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// FuzzLogRecords checks that no journal upsets the reader, that it loses nothing, and that it does not matter how the
// text arrives.
func FuzzLogRecords(f *testing.F) {
	f.Add(readTestdata(f, "log_sample.txt"))
	for _, seed := range []string{
		"", "\r\n", "\n\r\n", "[2026-08-22 07:04:05 kvmd.service] --- a\nb\r\nc", "[2026-99-22 07:04:05 x] --- \r\n", "a\rb\r\r\n",
		"\xff\xfe\r\n", "[0000-00-00 00:00:00 .service] --- ",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		records, err := pikvm.ReadLog(strings.NewReader(text))
		if err != io.EOF { //nolint:errorlint // what readers return
			t.Fatalf("error %v", err)
		}
		slow, _ := pikvm.ReadLog(iotest.OneByteReader(strings.NewReader(text)))
		if d := cmp.Diff(records, slow); d != "" {
			t.Errorf("byte by byte (-want +got):\n%s", d)
		}
		var all strings.Builder
		for i, r := range records {
			all.WriteString(r.Text)
			if i < len(records)-1 || strings.HasSuffix(text, "\r\n") {
				all.WriteString("\r\n")
			}
			if !strings.HasSuffix(r.Text, r.Message) || r.Cut {
				t.Errorf("record %+v", r)
			}
		}
		if want := strings.ToValidUTF8(text, "\ufffd"); len(text) < pikvm.MaxLogRecord && !equalFolded(want, all.String()) {
			t.Errorf("records are %q of %q", all.String(), want)
		}
	})
}

// equalFolded ignores how many replacement characters stand in a row: each record has its own.
func equalFolded(a, b string) bool {
	fold := func(s string) string { return strings.ReplaceAll(s, "\ufffd", "") }
	return fold(a) == fold(b)
}

// FuzzMetrics checks that no text upsets the reader, and that what it takes can be written and read again.
func FuzzMetrics(f *testing.F) {
	f.Add(readTestdata(f, "prometheus_metrics.txt"))
	for _, seed := range []string{
		"", "a 1", `a{b="c"} 2`, `a{b="c",} NaN 17`, `a{b="\\\"\n"} +Inf`, "a", "1 a", `a{b} 1`, `a{} 1`, `a{b="c" d="e"} 1`, "a\t1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		samples, err := pikvm.ParseMetrics(text)
		if err != nil {
			if len(samples) > 0 {
				t.Errorf("samples with %v", err)
			}
			return
		}
		for _, s := range samples {
			if s.Name == "" {
				t.Errorf("sample %+v", s)
			}
			raw, err := json.Marshal(s.Labels)
			if err != nil || !json.Valid(raw) {
				t.Errorf("labels %v: %v", s.Labels, err)
			}
		}
		if len(samples) > strings.Count(text, "\n")+1 {
			t.Errorf("%d samples of %q", len(samples), text)
		}
	})
}

// FuzzProgress checks that no lines upset the reader, and that it does not matter how they arrive.
func FuzzProgress(f *testing.F) {
	for _, seed := range []string{
		"", "\r\n", `{"ok": true, "result": {"image": {"name": "a", "size": 2, "written": 1}}}` + "\r\n",
		`{"ok": false, "result": {"error": "ClientPayloadError", "error_msg": "Response payload is not completed"}}` + "\r\n",
		"{\"ok\": true}\n\n{\"ok\": true", "null\n", "[]\n", "{}\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		oks, results, err := pikvm.ReadProgress(strings.NewReader(text))
		slowOKs, slowResults, slowErr := pikvm.ReadProgress(iotest.OneByteReader(strings.NewReader(text)))
		if !cmp.Equal(oks, slowOKs) || !cmp.Equal(results, slowResults) || err.Error() != slowErr.Error() {
			t.Errorf("%v %q %v, byte by byte %v %q %v", oks, results, err, slowOKs, slowResults, slowErr)
		}
		if len(oks) > strings.Count(text, "\n")+1 {
			t.Errorf("%d lines of %q", len(oks), text)
		}
	})
}

// FuzzRestStates checks that no answer upsets the decoders of the resources, and that what they take they take again
// from their own raw copy.
func FuzzRestStates(f *testing.F) {
	for _, name := range []string{
		"msd_online_one_image.json", "msd_uploading.json", "msd_connected_cdrom.json", "msd_offline.json", "switch_two_units.json",
		"redfish_system_0_on.json", "redfish_virtualmedia_msd_connected.json",
	} {
		text := readTestdata(f, name)
		var envelope struct{ Result json.RawMessage }
		if json.Unmarshal([]byte(text), &envelope) == nil && envelope.Result != nil {
			text = string(envelope.Result)
		}
		f.Add(text)
	}
	f.Add(`{"state": {"inputs": {"a": {"state": 1}}, "outputs": {"b": {"state": 0, "busy": 1}}}, "model": {"view": {"header": {"title": "x"}}}}`)
	f.Add(`{"enabled": true, "storage": {"size": 1e300, "images": {"a": {"mod_ts": -1e300}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		again(t, text, func(s *pikvm.MSDState) json.RawMessage { return s.Raw })
		again(t, text, func(s *pikvm.GPIOState) json.RawMessage { return s.Raw })
		again(t, text, func(s *pikvm.SwitchState) json.RawMessage { return s.Raw })
		again(t, text, func(s *pikvm.RedfishSystem) json.RawMessage { return s.Raw })
		again(t, text, func(s *pikvm.RedfishDrive) json.RawMessage { return s.Raw })
		again(t, text, func(s *pikvm.RedfishCollection) json.RawMessage { return s.Raw })
	})
}

func again[T any](t *testing.T, text string, raw func(*T) json.RawMessage) {
	t.Helper()
	var first, second T
	if json.Unmarshal([]byte(text), &first) != nil || raw(&first) == nil { // null leaves all as it is
		return
	}
	if err := json.Unmarshal(raw(&first), &second); err != nil {
		t.Fatalf("%T of %q: %v", first, text, err)
	}
	if d := cmp.Diff(first, second); d != "" {
		t.Errorf("%T (-want +got):\n%s", first, d)
	}
}
