package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// canned is a hub that always gives the same answer, without a network.
type canned struct {
	status int
	header http.Header
	body   []byte
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{
		StatusCode: c.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: c.header, Request: r,
		Body: io.NopCloser(bytes.NewReader(c.body)), ContentLength: -1,
	}, nil
}

func fuzzClient(t *testing.T, answer canned) *api.Client {
	t.Helper()
	client, err := api.New(api.Config{
		Credentials: device(ngtt.LocalDevelopment), MaxBody: 64 << 10,
		WrapTransport: func(http.RoundTripper) http.RoundTripper { return answer },
		OnBadEntry: func(err error) {
			if entry, ok := errors.AsType[*smokerr.EntryError](err); !ok || len(entry.Error()) > 1024 {
				t.Errorf("reported %v", err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// fuzzAnswer fuzzes the decoder of one endpoint: no input may panic, every failure is typed, and MiniJSON means the same
// as the JSON text of it.
func fuzzAnswer(f *testing.F, name string) {
	var call func(context.Context, *api.Client) (any, error)
	for _, endpoint := range endpoints {
		if endpoint.name == name {
			call = endpoint.call
			f.Add([]byte(endpoint.answer), false)
			packed, err := minijson.FromJSON([]byte(endpoint.answer))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(packed, true)
		}
	}
	f.Add([]byte(""), false)
	f.Add([]byte("[null,{},[],1,\"\"]"), false)
	f.Fuzz(func(t *testing.T, body []byte, packed bool) {
		header := http.Header{"Content-Type": {"application/json"}}
		if packed {
			header.Set("Content-Type", typeMiniJSON)
		}
		result, err := call(t.Context(), fuzzClient(t, canned{http.StatusOK, header, body}))
		if err != nil {
			response, ok := errors.AsType[*smokerr.ResponseError](err)
			if !ok || response.StatusCode != http.StatusOK || !errors.Is(err, errkit.Protocol) {
				t.Fatalf("%v", err)
			}
			return
		}
		if !packed {
			return
		}
		text, err := minijson.ToJSON(body)
		if err != nil && len(body) > 0 {
			t.Fatalf("decoded %v of what is no MiniJSON: %v", result, err)
		}
		same, err := call(t.Context(), fuzzClient(t, canned{
			http.StatusOK, http.Header{"Content-Type": {"application/json"}}, text,
		}))
		if d := cmp.Diff(result, same); err != nil && len(text) <= 64<<10 || err == nil && d != "" {
			t.Fatalf("in JSON: %v (-MiniJSON +JSON)\n%s", err, d)
		}
	})
}

func FuzzDeviceInfo(f *testing.F)     { fuzzAnswer(f, "DeviceInfo") }
func FuzzSyncPathpoints(f *testing.F) { fuzzAnswer(f, "SyncPathpoints") }
func FuzzArchiveList(f *testing.F)    { fuzzAnswer(f, "ArchiveList") }
func FuzzSensors(f *testing.F)        { fuzzAnswer(f, "Sensors") }
func FuzzOrders(f *testing.F)         { fuzzAnswer(f, "Orders") }
func FuzzMacros(f *testing.F)         { fuzzAnswer(f, "Macros") }
func FuzzPredicates(f *testing.F)     { fuzzAnswer(f, "Predicates") }
func FuzzUploadEvents(f *testing.F)   { fuzzAnswer(f, "UploadEvents") }
func FuzzMetadata(f *testing.F)       { fuzzAnswer(f, "Metadata") }
func FuzzBAOBs(f *testing.F)          { fuzzAnswer(f, "BAOBs") }
func FuzzSlave(f *testing.F)          { fuzzAnswer(f, "Slave") }

// FuzzRefusal fuzzes what the hub says of a refusal.
func FuzzRefusal(f *testing.F) {
	f.Add(400, "application/json", "7", []byte(`{"status":"no"}`))
	f.Add(503, "text/html", "Wed, 21 Oct 2026 07:28:00 GMT", []byte(`<title>no</title>`))
	f.Add(599, typeMiniJSON, "-1", []byte("\x51\x06status\x82no"))
	f.Add(302, "", "", []byte{})
	f.Fuzz(func(t *testing.T, status int, kind, after string, body []byte) {
		if status < 100 || status > 999 || status/100 == 2 {
			return
		}
		client := fuzzClient(t, canned{status, http.Header{"Content-Type": {kind}, "Retry-After": {after}}, body})
		err := client.PutMetadata(t.Context(), "k", "v", noon)
		response, ok := errors.AsType[*smokerr.ResponseError](err)
		if !ok || response.StatusCode != status || len(response.Status) > 1<<10 || len(response.Body) > 4<<10 ||
			len(err.Error()) > 1<<10 || response.RetryAfter < 0 {
			t.Errorf("%v", err)
		}
	})
}

// FuzzDownload fuzzes the version and the content of a BAOB.
func FuzzDownload(f *testing.F) {
	f.Add("7", []byte("content"))
	f.Add("-1", []byte{})
	f.Add("07", []byte("over the limit of this test"))
	f.Fuzz(func(t *testing.T, version string, body []byte) {
		client := fuzzClient(t, canned{http.StatusOK, http.Header{"X-Smok-Baob-Version": {version}}, body})
		var out bytes.Buffer
		n, err := client.DownloadBAOB(t.Context(), "k", &out, 16)
		switch {
		case out.Len() > 16:
			t.Errorf("%d bytes were written", out.Len())
		case err == nil && (n < 0 || !bytes.Equal(out.Bytes(), body)):
			t.Errorf("version %d, %q", n, out.Bytes())
		case err != nil && !errors.Is(err, smokerr.ErrBadAnswer):
			t.Errorf("%v", err)
		}
	})
}
