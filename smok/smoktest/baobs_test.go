package smoktest_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const baobs = "/v1/device/baobs"

type part struct{ disposition, text string }

func filePart(data string) part { return part{`form-data; name="file"; filename="file"`, data} }
func dataPart(text string) part { return part{`form-data; name="data"; filename="data"`, text} }

// upload uploads a form.
func upload(p *peer, key string, parts ...part) int {
	p.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range parts {
		w, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {part.disposition}})
		if err != nil {
			p.t.Fatal(err)
		}
		_, _ = w.Write([]byte(part.text)) // to memory
	}
	if err := form.Close(); err != nil {
		p.t.Fatal(err)
	}
	q := *p
	q.header = http.Header{"Content-Type": {form.FormDataContentType()}}
	status, _ := q.do("PUT", baobs+"/"+key, body.Bytes())
	return status
}

func uploadVersion(p *peer, key, data string, version int) int {
	p.t.Helper()
	return upload(p, key, filePart(data), dataPart(`{"version":`+strconv.Itoa(version)+`}`))
}

func TestBAOBPlan(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		deny   bool
		answer string
	}{
		"create allowed": {false, `{"should_delete":["deleted"],"should_download":["newer","server only"],"should_upload":["older","unknown"]}`},
		"create denied":  {true, `{"should_delete":["unknown","deleted"],"should_download":["newer","server only"],"should_upload":["older"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hub := start(t, smoktest.Options{DenyClientCreate: test.deny})
			p, pump := connect(t, hub, "pump"), hub.Device("pump")
			pump.SetBAOB("newer", 5, nil)
			pump.SetBAOB("older", 3, nil)
			pump.SetBAOB("same", 4, nil)
			pump.SetBAOB("server only", 0, nil)
			pump.SetBAOB("deleted", 9, nil)
			pump.DeleteBAOB("deleted")
			var sent list
			for _, key := range []string{"newer", "older", "same", "unknown", "deleted"} {
				sent = append(sent, object{"key": key, "version": 4})
			}
			p.want("POST", baobs, sent, test.answer)
			p.refused("POST", baobs, append(sent, sent[0]), http.StatusBadRequest)
			p.refused("POST", baobs, list{object{"key": "x"}}, http.StatusBadRequest)
			p.refused("POST", baobs, list{object{"key": "x", "version": -2}}, http.StatusBadRequest)
			want := map[string]int64{"newer": 5, "older": 3, "same": 4, "server only": 0}
			if d := cmp.Diff(want, pump.BAOBs()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestBAOBTransfer(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{MaxBAOB: 100})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	check := func(version int, data string) {
		t.Helper()
		resp, got, err := p.exchange("GET", baobs+"/a%2F..%2Fb", nil)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != data || resp.Header.Get("X-SMOK-BAOB-Version") != strconv.Itoa(version) {
			t.Errorf("got %q %v, want %q of version %d", got, resp.Header, data, version)
		}
	}
	p.refused("GET", baobs+"/a%2F..%2Fb", nil, http.StatusNotFound)
	for i, step := range []struct {
		data    string
		version int
		status  int
		now     string
		at      int
	}{
		{"first\x00\xff", 0, 200, "first\x00\xff", 0},
		{"first\x00\xff", 0, 200, "first\x00\xff", 0}, // again, as after a lost answer
		{"other", 0, 409, "first\x00\xff", 0},
		{"second", 7, 200, "second", 7},
		{"older", 6, 409, "second", 7},
		{string(make([]byte, 101)), 8, 413, "second", 7},
		{"", 9, 200, "", 9},
	} {
		if got := uploadVersion(p, "a%2F..%2Fb", step.data, step.version); got != step.status {
			t.Errorf("step %d: %d", i, got)
		}
		check(step.at, step.now)
	}
	if version, data, ok := pump.BAOB("a/../b"); version != 9 || len(data) != 0 || !ok {
		t.Errorf("%d %q %v", version, data, ok)
	}
	pump.DeleteBAOB("a/../b")
	p.refused("GET", baobs+"/a%2F..%2Fb", nil, http.StatusNotFound)
	if got := uploadVersion(p, "a%2F..%2Fb", "x", 10); got != http.StatusNotFound {
		t.Errorf("uploaded to a tombstone: %d", got)
	}
	for i := range 20 {
		want := http.StatusOK
		if i >= 16 { // 16 of the largest
			want = http.StatusInsufficientStorage
		}
		if got := uploadVersion(p, strconv.Itoa(i), string(make([]byte, 100)), 1); got != want {
			t.Errorf("BAOB %d: %d", i, got)
		}
	}
}

func TestBadForms(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p := connect(t, hub, "pump")
	version := dataPart(`{"version":1}`)
	for name, parts := range map[string][]part{
		"no version":        {filePart("x")},
		"no file":           {version},
		"twice":             {filePart("x"), filePart("x"), version},
		"another part":      {filePart("x"), version, {`form-data; name="more"; filename="more"`, ""}},
		"no file name":      {{`form-data; name="file"`, "x"}, version},
		"not JSON":          {filePart("x"), dataPart(`version 1`)},
		"not a number":      {filePart("x"), dataPart(`{"version":"1"}`)},
		"not an integer":    {filePart("x"), dataPart(`{"version":1.5}`)},
		"negative":          {filePart("x"), dataPart(`{"version":-1}`)},
		"empty object":      {filePart("x"), dataPart(`{}`)},
		"more after object": {filePart("x"), dataPart(`{"version":1}{}`)},
		"more in object":    {filePart("x"), dataPart(`{"version":1,"x":1}`)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := upload(p, "key", parts...); got != http.StatusBadRequest {
				t.Errorf("%d", got)
			}
		})
	}
	q := *p
	for contentType, status := range map[string]int{
		"application/minijson": 415, "multipart/form-data": 400, "multipart/form-data; boundary=x": 400,
	} {
		q.header = http.Header{"Content-Type": {contentType}}
		q.refused("PUT", baobs+"/key", []byte("--y\r\n"), status)
	}
	if got := hub.Device("pump").BAOBs(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}
