package pikvm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestFetchRecorded checks the recorded transfers, line by line.
func TestFetchRecorded(t *testing.T) {
	t.Parallel()
	var all []struct {
		Chunks [][2]any
		Broken bool   `json:"connection_broken_before_final_chunk"`
		Type   string `json:"content_type"`
		Path   string
		Status int
	}
	if err := json.Unmarshal([]byte(readTestdata(t, "msd_write_remote.json")), &all); err != nil {
		t.Fatal(err)
	}
	for i, e := range all {
		t.Run(fmt.Sprint(i, e.Path), func(t *testing.T) {
			t.Parallel()
			var lines []string
			for _, chunk := range e.Chunks {
				lines = append(lines, chunk[1].(string))
			}
			url := "https://mirror.example.com/x.img"
			network := netem.New(nil)
			serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/api/msd" {
					reply(w, http.StatusOK, readTestdata(t, "msd_online_one_image.json"))
					return
				}
				w.Header().Set("Content-Type", e.Type)
				w.WriteHeader(e.Status)
				for _, line := range lines {
					_, _ = io.WriteString(w, line)
					_ = http.NewResponseController(w).Flush()
				}
				if e.Broken {
					panic(http.ErrAbortHandler)
				}
			})
			c := newClient(t, kvmHTTP, on(network, pikvm.Options{}))
			var seen []pikvm.WrittenImage
			got, err := c.MSD.Fetch(t.Context(), url, &pikvm.FetchOptions{
				ListTimeout: -1, Progress: func(w pikvm.WrittenImage) { seen = append(seen, w) },
			})
			last := lines[len(lines)-1]
			if strings.Contains(last, `"ok": false`) {
				var refusal struct {
					Result struct{ Error, Error_msg string }
				}
				pieces := strings.Split(strings.TrimSpace(last), "\r\n")
				if err := json.Unmarshal([]byte(pieces[len(pieces)-1]), &refusal); err != nil {
					t.Fatal(err)
				}
				status := e.Status
				if status == http.StatusOK {
					status = 0 // the failure is in the body of a success, and wins over how that ends
				}
				api, ok := errors.AsType[*pikvm.APIError](err)
				if !ok || api.StatusCode != status || api.Code != refusal.Result.Error || api.Message != refusal.Result.Error_msg {
					t.Errorf("error is %v, want %+v", err, refusal)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(seen) != len(lines) || *got != seen[len(seen)-1] || got.Written != got.Size || seen[0].Written != 0 {
				t.Errorf("progress is %+v, result %+v", seen, got)
			}
		})
	}
}

// TestFetch checks transfers of the fake from the begin until the image is listed.
func TestFetch(t *testing.T) {
	t.Parallel()
	const mirror = "https://mirror.example.com/"
	remotes := map[string]pikvmtest.RemoteImage{
		mirror + "dir/slow.img": {Size: 400_000, ChunkTime: time.Second},
		mirror + "ok":           {Size: 200_000, Name: "remote-name.iso"},
		mirror + "404":          {Status: 404},
		mirror + "nolen":        {NoLength: true},
		mirror + "broken.img":   {Size: 400_000, BreakAt: 100_000},
		mirror + "hang.img":     {Size: 400_000, ChunkTime: time.Hour},
	}
	inBubble(t, &pikvmtest.Options{MSD: pikvmtest.MSDOptions{Remotes: remotes, Directories: []string{"sub"}}}, nil, func(t *testing.T, f *fake) {
		fetch := func(url string, opts *pikvm.FetchOptions) (*pikvm.WrittenImage, error) {
			return f.client.MSD.Fetch(t.Context(), mirror+url, opts)
		}
		lines := 0
		got, err := fetch("dir/slow.img", &pikvm.FetchOptions{Progress: func(pikvm.WrittenImage) { lines++ }})
		if err != nil || *got != (pikvm.WrittenImage{Name: "slow.img", Size: 400_000, Written: 400_000}) || lines < 4 {
			t.Errorf("slow: %+v after %d lines, %v", got, lines, err)
		}
		got, err = fetch("ok", &pikvm.FetchOptions{Prefix: "sub", InsecureSkipTLSVerify: true, ConnectTimeout: 1500 * time.Millisecond})
		if err != nil || got.Name != "sub/remote-name.iso" {
			t.Errorf("with the server's name: %+v, %v", got, err)
		}
		got, err = fetch("ok", &pikvm.FetchOptions{Image: "slow.img", Replace: true})
		if err != nil || got.Size != 200_000 {
			t.Errorf("replaced: %+v, %v", got, err)
		}
		_, err = fetch("ok", &pikvm.FetchOptions{Image: "slow.img"})
		failure{Type: "APIError", Class: pikvm.ErrExists, Kinds: errkit.Conflict | errkit.NotSent}.check(t, err)
		_, err = fetch("dir/slow.img", nil)
		failure{Type: "APIError", Class: pikvm.ErrExists, Kinds: errkit.Conflict | errkit.Invalid, Status: 400}.check(t, err)
		for url, want := range map[string]string{"404": "ClientResponseError", "nolen": "ClientError", "none": "ClientConnectorError"} {
			_, err := fetch(url, nil)
			failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Invalid, Status: 400}.check(t, err)
			if e, _ := errors.AsType[*pikvm.APIError](err); e.Code != want {
				t.Errorf("%s: code %q, want %q", url, e.Code, want)
			}
		}
		for keep, want := range map[bool]int{false: 0, true: 1} {
			_, err = fetch("broken.img", &pikvm.FetchOptions{KeepIncomplete: keep})
			failure{Type: "APIError", Class: pikvm.ErrAPI}.check(t, err)
			if e, _ := errors.AsType[*pikvm.APIError](err); e.Code != "ClientPayloadError" {
				t.Errorf("broken: %v", err)
			}
			time.Sleep(2 * time.Second)
			if removed, err := f.client.MSD.RemoveIncomplete(t.Context(), nil); len(removed) != want || err != nil {
				t.Errorf("kept %t: removed %v, %v", keep, removed, err)
			}
		}
		_, err = fetch("hang.img", nil)
		failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout, Limit: time.Minute}.check(t, err)
		time.Sleep(time.Second) // for the device to notice that nobody listens any more
		if _, err := fetch("ok", &pikvm.FetchOptions{Image: "last.img"}); err != nil {
			t.Errorf("after all that: %v", err)
		}
	})
}

// TestFetchBadLines: lines that are none, too long ones, and an end before the image is complete.
func TestFetchBadLines(t *testing.T) {
	t.Parallel()
	line := func(written int) string {
		return fmt.Sprintf(`{"ok": true, "result": {"image": {"name": "a", "size": 2, "written": %d}}}`+"\r\n", written)
	}
	for name, tc := range map[string]struct {
		body string
		ok   bool
	}{
		"nothing": {"", false}, "no JSON": {line(0) + "<html>\r\n", false}, "no envelope": {line(0) + "{}\r\n", false},
		"no image": {`{"ok": true, "result": {}}` + "\r\n", false}, "early end": {line(0) + line(1), false},
		"too long":            {line(0) + strings.Repeat(" ", pikvm.MaxProgressLine+1) + line(2), false},
		"no last end of line": {line(0) + strings.TrimSpace(line(2)), true}, "blank lines": {"\r\n" + line(2) + "\n\n", true},
		"only LF": {strings.ReplaceAll(line(0)+line(2), "\r", ""), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/msd/write_remote", Body: []byte(tc.body)})
				_, err := f.client.MSD.Fetch(t.Context(), "http://h/a", &pikvm.FetchOptions{ListTimeout: -1})
				if tc.ok != (err == nil) || !tc.ok && !errors.Is(err, pikvm.ErrResponse) {
					t.Errorf("error is %v", err)
				}
			})
		})
	}
}
