package pikvmtest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// fetched is what came of a fetch: the status, and the last line of the answer.
type fetched struct {
	Status int
	OK     bool
	Error  string
	Name   string
	Stored int // bytes
}

// TestFetchFrom: the device fetches from servers that it is allowed to ask, and from no others.
func TestFetchFrom(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("fieldlink\n"), 30_000)
	var strays atomic.Int64
	origin := http.NewServeMux()
	origin.HandleFunc("/images/a.img", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
	origin.HandleFunc("/images/named", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="real name.iso"`)
		_, _ = w.Write([]byte("x"))
	})
	origin.HandleFunc("/images/chunked", func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write([]byte("x"))
	})
	origin.HandleFunc("/images/broken", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "200000")
		_, _ = w.Write(content[:100_000])
		panic(http.ErrAbortHandler)
	})
	origin.Handle("/images/near", http.RedirectHandler("/images/a.img", http.StatusFound))
	origin.Handle("/images/far", http.RedirectHandler("/secret", http.StatusFound))
	origin.HandleFunc("/secret", func(http.ResponseWriter, *http.Request) { strays.Add(1) })
	plain, secure := httptest.NewServer(origin), httptest.NewUnstartedServer(origin)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail
	secure.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)

	k := start(t, &pikvmtest.Options{MSD: pikvmtest.MSDOptions{FetchFrom: []string{plain.URL + "/images/", secure.URL + "/images/"}}})
	for name, tc := range map[string]struct {
		url, more string
		want      fetched
	}{
		"image":             {plain.URL + "/images/a.img", "", fetched{200, true, "", "a.img", len(content)}},
		"own name":          {plain.URL + "/images/a.img", "&image=b.img", fetched{200, true, "", "b.img", len(content)}},
		"server's name":     {plain.URL + "/images/named", "", fetched{200, true, "", "real name.iso", 1}},
		"redirect within":   {plain.URL + "/images/near", "", fetched{200, true, "", "near", len(content)}},
		"redirect out":      {plain.URL + "/images/far", "", fetched{Status: 400, Error: "ClientConnectorError"}},
		"not allowed":       {plain.URL + "/secret", "", fetched{Status: 400, Error: "ClientConnectorError"}},
		"out by dots":       {plain.URL + "/images/../secret", "", fetched{Status: 400, Error: "ClientConnectorError"}},
		"no such image":     {plain.URL + "/images/none", "", fetched{Status: 400, Error: "ClientResponseError"}},
		"no length":         {plain.URL + "/images/chunked", "", fetched{Status: 400, Error: "ClientError"}},
		"breaks off":        {plain.URL + "/images/broken", "&remove_incomplete=1", fetched{Status: 200, Error: "ClientPayloadError"}},
		"not trusted":       {secure.URL + "/images/a.img", "&image=c.img", fetched{Status: 400, Error: "ClientConnectorError"}},
		"trusted by wish":   {secure.URL + "/images/a.img", "&image=d.img&insecure=1", fetched{200, true, "", "d.img", len(content)}},
		"breaks off and is": {plain.URL + "/images/broken", "&image=rest.img", fetched{Status: 200, Error: "ClientPayloadError"}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, k.fetch(t, tc.url, tc.more)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
	if strays.Load() != 0 {
		t.Error("the device asked where it must not")
	}
	if got, err := k.ImageContent("d.img"); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came through as %d, %v", len(content), len(got), err)
	}
	for _, i := range k.Images() {
		if i.Complete == (i.Name == "rest.img") || i.Name == "broken" {
			t.Errorf("the storage has %+v", i)
		}
	}
}

// fetch lets the device fetch a URL. A body that breaks off after a failure is what devices send.
func (k *kvm) fetch(t *testing.T, address, more string) fetched {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		k.URL()+"/api/msd/write_remote?url="+url.QueryEscape(address)+more, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("admin", "admin")
	answer, err := k.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, readErr := io.ReadAll(answer.Body)
	text := strings.TrimSpace(string(body))
	if answer.StatusCode == http.StatusOK {
		text = text[strings.LastIndexByte(text, '\n')+1:]
	}
	var line struct {
		OK     bool
		Result struct {
			Error string
			Image struct {
				Name    string
				Written int
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if broken := answer.StatusCode == http.StatusOK && !line.OK; broken != (readErr != nil) {
		t.Errorf("the body ended with %v after %q", readErr, text)
	}
	return fetched{answer.StatusCode, line.OK, line.Result.Error, line.Result.Image.Name, line.Result.Image.Written}
}
