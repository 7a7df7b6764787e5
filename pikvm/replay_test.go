package pikvm_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// recorded is one exchange of testdata/exchanges.json with a PiKVM of version 4.197.
type recorded struct {
	Name        string            `json:"name"`
	Method      string            `json:"method"`
	Path        string            `json:"path"`
	Status      int               `json:"status"`
	ContentType string            `json:"content_type"`
	Body        json.RawMessage   `json:"body"`
	Binary      bool              `json:"binary_body"`
	Headers     map[string]string `json:"headers"`
	Location    string            `json:"location"`
	SetCookie   string            `json:"set_cookie"`
	Disposition string            `json:"content_disposition"`
}

func loadExchanges(t *testing.T) []recorded {
	t.Helper()
	text, err := os.ReadFile("testdata/exchanges.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []recorded
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func exchangeNamed(t *testing.T, name string) recorded {
	t.Helper()
	for _, e := range loadExchanges(t) {
		if e.Name == name {
			return e
		}
	}
	t.Fatalf("no exchange %q", name)
	return recorded{}
}

// wire returns the body as the device sends it: JSON with four spaces of indentation, texts as they are. Pictures
// and images were not recorded; some bytes stand for them.
func (e *recorded) wire(t *testing.T) []byte {
	t.Helper()
	switch {
	case e.Binary && e.Status == http.StatusNoContent:
		return nil
	case e.Binary:
		return []byte("\xff\xd8\x00binary\xff\xd9")
	case strings.HasPrefix(e.ContentType, "application/json"):
		var b bytes.Buffer
		if err := json.Indent(&b, e.Body, "", "    "); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	var text string
	if err := json.Unmarshal(e.Body, &text); err != nil {
		t.Fatal(err)
	}
	return []byte(text)
}

// header returns the header of the answer as far as it was recorded.
func (e *recorded) header() map[string]string {
	h := map[string]string{
		"Content-Type": e.ContentType, "Location": e.Location, "Set-Cookie": e.SetCookie,
		"Content-Disposition": e.Disposition,
	}
	maps.Copy(h, e.Headers)
	maps.DeleteFunc(h, func(_, value string) bool { return value == "" })
	return h
}

// handler answers as recorded and complains about another request.
func (e *recorded) handler(t *testing.T) http.Handler {
	body := e.wire(t)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, query, _ := strings.Cut(e.Path, "?")
		want, err := url.ParseQuery(query)
		if err != nil {
			t.Error(err)
		}
		if r.Method != e.Method || r.URL.Path != path {
			t.Errorf("request is %s %s, recorded %s %s", r.Method, r.URL.Path, e.Method, path)
		}
		if d := cmp.Diff(want, r.URL.Query()); d != "" {
			t.Errorf("query (-want +got):\n%s", d)
		}
		h := w.Header()
		h["Content-Type"] = nil
		for name, value := range e.header() {
			h.Set(name, value)
		}
		w.WriteHeader(e.Status)
		_, _ = w.Write(body)
	})
}

// replay serves one exchange and returns a client for it.
func replay(t *testing.T, e recorded, opts *pikvm.Options) *pikvm.Client {
	t.Helper()
	server := httptest.NewServer(e.handler(t))
	t.Cleanup(server.Close)
	return newClient(t, server.URL, opts)
}

func newClient(t *testing.T, baseURL string, opts *pikvm.Options) *pikvm.Client {
	t.Helper()
	c, err := pikvm.New(baseURL, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestReplayAll sends every recorded exchange through the client: successes come out as they were, refusals as
// typed errors with the status, the name and the text of the server.
func TestReplayAll(t *testing.T) {
	t.Parallel()
	all := loadExchanges(t)
	if len(all) != 274 {
		t.Fatalf("%d exchanges, want 274", len(all))
	}
	for _, e := range all {
		t.Run(e.Name+" "+e.Method+" "+e.Path, func(t *testing.T) {
			t.Parallel()
			c := replay(t, e, nil)
			answer, err := c.Fetch(t.Context(), e.Method, e.Path)
			if e.Status >= http.StatusMultipleChoices {
				checkRefusal(t, e, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if answer.Status != e.Status {
				t.Errorf("status is %d, want %d", answer.Status, e.Status)
			}
			for name, want := range e.header() {
				if got := answer.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if d := cmp.Diff(string(e.wire(t)), string(answer.Body)); d != "" {
				t.Errorf("body (-want +got):\n%s", d)
			}
			var envelope struct {
				OK     bool            `json:"ok"`
				Result json.RawMessage `json:"result"`
			}
			if json.Unmarshal(answer.Body, &envelope) != nil || !envelope.OK {
				return // no envelope: a text, a picture or a document of Redfish
			}
			result, err := c.Invoke(t.Context(), e.Method, e.Path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(envelope.Result), string(result)); d != "" {
				t.Errorf("result (-want +got):\n%s", d)
			}
		})
	}
}

// checkRefusal compares an error with what the recorded answer says.
func checkRefusal(t *testing.T, e recorded, err error) {
	t.Helper()
	var envelope struct {
		Result struct {
			Error   string `json:"error"`
			Message string `json:"error_msg"`
		} `json:"result"`
	}
	want := struct {
		Status        int
		Code, Message string
	}{Status: e.Status}
	switch {
	case e.Location != "":
	case json.Unmarshal(e.Body, &envelope) == nil:
		want.Code, want.Message = envelope.Result.Error, envelope.Result.Message
	default:
		want.Message = strings.Join(strings.Fields(string(e.wire(t))), " ")
	}
	api, ok := errors.AsType[*pikvm.APIError](err)
	if !ok {
		t.Fatalf("error is %T: %v, want an APIError", err, err)
	}
	got := want
	got.Status, got.Code, got.Message = api.StatusCode, api.Code, api.Message
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("error (-want +got):\n%s", d)
	}
	if class := recordedClass(e.Status, want.Code); !errors.Is(err, class) {
		t.Errorf("error %v is not %v", err, class)
	}
	if e.Location != "" {
		redirect, ok := errors.AsType[*pikvm.RedirectError](err)
		if !ok || redirect.Location != e.Location {
			t.Errorf("error is %#v, want a redirect to %s", err, e.Location)
		}
	}
}

// recordedClass is the class that the documentation of the API gives to a refusal.
func recordedClass(status int, code string) *errkit.Class {
	if class, ok := map[int]*errkit.Class{
		302: pikvm.ErrRedirect, 308: pikvm.ErrRedirect,
		401: pikvm.ErrAuth, 403: pikvm.ErrAuth,
		404: pikvm.ErrNotFound, 409: pikvm.ErrBusy, 503: pikvm.ErrUnavailable,
	}[status]; ok {
		return class
	}
	if class, ok := map[string]*errkit.Class{
		"ValidatorError":                 pikvm.ErrInvalidArgument,
		"HttpError":                      pikvm.ErrInvalidArgument,
		"AtxDisabledError":               pikvm.ErrDisabled,
		"MsdDisabledError":               pikvm.ErrDisabled,
		"MsdRemoteDisabledError":         pikvm.ErrDisabled,
		"LogReaderDisabledError":         pikvm.ErrDisabled,
		"MsdConnectedError":              pikvm.ErrPrecondition,
		"MsdDisconnectedError":           pikvm.ErrPrecondition,
		"MsdImageNotSelected":            pikvm.ErrPrecondition,
		"MsdUnknownImageError":           pikvm.ErrNotFound,
		"GpioChannelNotFoundError":       pikvm.ErrNotFound,
		"SwitchUnknownEdidError":         pikvm.ErrNotFound,
		"MsdImageExistsError":            pikvm.ErrExists,
		"GpioSwitchNotSupported":         pikvm.ErrNotSupported,
		"GpioPulseNotSupported":          pikvm.ErrNotSupported,
		"StreamerQualityNotSupported":    pikvm.ErrNotSupported,
		"StreamerResolutionNotSupported": pikvm.ErrNotSupported,
		"StreamerH264NotSupported":       pikvm.ErrNotSupported,
	}[code]; ok {
		return class
	}
	return pikvm.ErrAPI
}
