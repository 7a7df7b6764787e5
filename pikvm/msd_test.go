package pikvm_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// decodeFile decodes the result of a recorded answer.
func decodeFile[T any](t *testing.T, name string) *T {
	t.Helper()
	envelope := struct{ Result *T }{new(T)}
	if err := json.Unmarshal([]byte(readTestdata(t, name)), &envelope); err != nil {
		t.Fatal(err)
	}
	return envelope.Result
}

// TestMSDState checks recorded states.
func TestMSDState(t *testing.T) {
	t.Parallel()
	small := pikvm.MSDImage{
		Name: "small.iso", Complete: true, Removable: true, InStorage: true, Size: 100000,
		Modified: time.Unix(1795327055, 671393900).UTC(),
	}
	parts := func(free int64) map[string]pikvm.MSDPart {
		return map[string]pikvm.MSDPart{"": {Size: 8414195712, Free: free, Writable: true}}
	}
	for name, want := range map[string]*pikvm.MSDState{
		"msd_disabled.json": {},
		"msd_offline.json":  {Enabled: true},
		"msd_online_one_image.json": {
			Enabled: true, Online: true, Drive: &pikvm.MSDDrive{},
			Storage: &pikvm.MSDStorage{Images: map[string]pikvm.MSDImage{"small.iso": small}, Parts: parts(2910556160)},
		},
		"msd_uploading.json": {
			Enabled: true, Online: true, Busy: true, Drive: &pikvm.MSDDrive{},
			Storage: &pikvm.MSDStorage{
				Images: map[string]pikvm.MSDImage{"small.iso": small, "slow.img": {
					Name: "slow.img", Removable: true, Writable: true, InStorage: true, Size: 1000000,
					Modified: time.Unix(1795327057, 608425100).UTC(),
				}},
				Parts: parts(2899558400), Uploading: &pikvm.MSDTransfer{Name: "slow.img", Size: 1000000, Done: 500000},
			},
		},
		"msd_connected_cdrom.json": {
			Enabled: true, Online: true, Drive: &pikvm.MSDDrive{Image: &small, Connected: true, CDROM: true},
			Storage: &pikvm.MSDStorage{
				Images: map[string]pikvm.MSDImage{"small.iso": small, "slow.img": {
					Name: "slow.img", Complete: true, Removable: true, Writable: true, InStorage: true, Size: 1000000,
					Modified: time.Unix(1795327059, 568425000).UTC(),
				}},
				Parts: parts(2887954432),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decodeFile[pikvm.MSDState](t, name)
			near := cmpopts.EquateApproxTime(time.Microsecond) // the recording has a float
			if d := cmp.Diff(want, got, cmpopts.IgnoreFields(pikvm.MSDState{}, "Raw"), near); d != "" {
				t.Errorf("state (-want +got):\n%s", d)
			}
			if !json.Valid(got.Raw) {
				t.Errorf("raw is %s", got.Raw)
			}
		})
	}
}

// TestMSDStateVersions checks the forms of other versions.
func TestMSDStateVersions(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]pikvm.MSDState{
		// Before version 3.206: size and free of the only part, names within, features.
		`{"enabled": 1, "online": true, "busy": 0, "features": {"multi": true}, "drive": {"connected": false, "cdrom": 1},
			"storage": {"size": 100, "free": 40.0, "uploading": null, "images": {"a": {"name": "a", "complete": true, "size": 60}}}}`: {
			Enabled: true, Online: true, Drive: &pikvm.MSDDrive{CDROM: true},
			Storage: &pikvm.MSDStorage{
				Images: map[string]pikvm.MSDImage{"a": {
					Name: "a", Complete: true, Removable: true, Writable: true, InStorage: true, Size: 60,
				}},
				Parts: map[string]pikvm.MSDPart{"": {Size: 100, Free: 40, Writable: true}},
			},
		},
		// To come.
		`{"enabled": true, "online": true, "new": [], "drive": {"connected": true, "image": {"name": "nbd://x", "in_storage": false}},
			"storage": {"images": {}, "parts": {"": {"size": 1}, "nvme": {"size": 2, "writable": false}}, "downloading": {"name": "a", "size": 3, "readed": 2}}}`: {
			Enabled: true, Online: true, Drive: &pikvm.MSDDrive{Connected: true, Image: &pikvm.MSDImage{
				Name: "nbd://x", Complete: true, Removable: true, Writable: true,
			}},
			Storage: &pikvm.MSDStorage{
				Images: map[string]pikvm.MSDImage{}, Downloading: &pikvm.MSDTransfer{Name: "a", Size: 3, Done: 2},
				Parts: map[string]pikvm.MSDPart{"": {Size: 1, Writable: true}, "nvme": {Size: 2}},
			},
		},
	} {
		var got pikvm.MSDState
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(pikvm.MSDState{}, "Raw")); d != "" {
			t.Errorf("state (-want +got):\n%s", d)
		}
	}
	for _, body := range []string{
		`{}`, `[]`, `1`, `{"enabled": "yes"}`, `{"enabled": true, "drive": {}}`, `{"enabled": true, "storage": {"images": []}}`,
		`{"enabled": true, "storage": {"images": {"a": {"size": "1"}}}}`,
	} {
		var got pikvm.MSDState
		if err := json.Unmarshal([]byte(body), &got); err == nil {
			t.Errorf("%s is %+v, want an error", body, got)
		}
	}
}

// TestMSDEventState checks that the events of a session give the same state as the request.
func TestMSDEventState(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.open(t, nil)
		if _, err := f.client.MSD.Upload(t.Context(), "a.img", strings.NewReader("x"), 1, nil); err != nil {
			t.Fatal(err)
		}
		if err := f.client.MSD.Mount(t.Context(), "a.img", &pikvm.MountOptions{CDROM: true}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want, err := f.client.MSD.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, ok := s.State().MSD()
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(pikvm.MSDState{}, "Raw")); d != "" || !ok {
			t.Errorf("state by events (-want +got):\n%s", d)
		}
	})
}

// TestStoredName checks that the client knows the names as the device makes them.
func TestStoredName(t *testing.T) {
	t.Parallel()
	inBubble(t, &pikvmtest.Options{MSD: pikvmtest.MSDOptions{Directories: []string{"sub"}}}, nil, func(t *testing.T, f *fake) {
		for _, name := range []string{"a", "/a//", " a b ", "a\tb", "sub/x", " sub / y ", "\u200bz", "ü\u00ad"} {
			got, err := f.client.MSD.Upload(t.Context(), name, strings.NewReader("x"), 1, &pikvm.UploadOptions{Replace: true})
			if err != nil {
				t.Errorf("%q: %v", name, err)
				continue
			}
			if want := pikvm.StoredName(name); got.Name != want {
				t.Errorf("%q is stored as %q, want %q", name, got.Name, want)
			}
		}
		_, err := f.client.MSD.Upload(t.Context(), "none/x", strings.NewReader("x"), 1, nil)
		failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Internal, Status: 500}.check(t, err)
	})
}

// TestDownload checks what is written out, with its hash, and packed.
func TestDownload(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		const size = 300_000
		put(t, f, "a.img", size)
		sum := sha256.Sum256(pattern(size))
		var out bytes.Buffer
		var done []int64
		got, err := f.client.MSD.Download(t.Context(), "a.img", &out, &pikvm.DownloadOptions{
			Hash: sha256.New(),
			Progress: func(n, all int64) {
				if all != size {
					t.Errorf("size is %d", all)
				}
				done = append(done, n)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&pikvm.DownloadedImage{Size: size, Sum: sum[:]}, got); d != "" || !bytes.Equal(out.Bytes(), pattern(size)) {
			t.Errorf("download (-want +got):\n%s, %s", d, hex.EncodeToString(out.Bytes()[:16]))
		}
		if len(done) == 0 || done[len(done)-1] != size {
			t.Errorf("progress is %v", done)
		}
		out.Reset()
		got, err = f.client.MSD.Download(t.Context(), "a.img", &out, &pikvm.DownloadOptions{Compress: pikvm.CompressZstd})
		if err != nil || got.Sum != nil || got.Size != int64(out.Len()) || !bytes.HasPrefix(out.Bytes(), []byte("\x28\xb5\x2f\xfd")) {
			t.Errorf("packed: %+v, %v, begins with %x", got, err, out.Bytes()[:8])
		}
		_, err = f.client.MSD.Download(t.Context(), "none.img", &out, nil)
		failure{Type: "APIError", Class: pikvm.ErrNotFound, Kinds: errkit.NotFound | errkit.Invalid, Status: 400}.check(t, err)
	})
}

// TestDownloadBroken: only a whole image is a success, and the next download works.
func TestDownloadBroken(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	for _, tc := range []struct {
		name  string
		fault pikvmtest.Fault
		to    io.Writer
		want  error
	}{
		{"cut off", pikvmtest.Fault{Kind: pikvmtest.FaultTruncate, Bytes: 100}, io.Discard, pikvm.ErrResponse},
		{"reset", pikvmtest.Fault{Kind: pikvmtest.FaultReset}, io.Discard, pikvm.ErrConnect},
		{"hang", pikvmtest.Fault{Kind: pikvmtest.FaultHang}, io.Discard, pikvm.ErrConnectionTimeout},
		{"page", pikvmtest.Fault{Kind: pikvmtest.FaultPage}, io.Discard, errkit.Unavailable},
		{"stall", pikvmtest.Fault{Kind: pikvmtest.FaultSlow, Interval: 2 * time.Minute}, io.Discard, pikvm.ErrConnectionTimeout},
		{"slow is no stall", pikvmtest.Fault{Kind: pikvmtest.FaultSlow, Interval: 30 * time.Second, Bytes: 500}, io.Discard, nil},
		{"writer", pikvmtest.Fault{}, iotest.TruncateWriter(failingWriter{full}, 0), nil},
		{"failing writer", pikvmtest.Fault{}, failingWriter{full}, full},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				put(t, f, "a.img", 5000)
				tc.fault.Path, tc.fault.Times = "/api/msd/read", 1
				f.Inject(tc.fault)
				_, err := f.client.MSD.Download(t.Context(), "a.img", tc.to, nil)
				if !errors.Is(err, tc.want) {
					t.Errorf("error is %v, want %v", err, tc.want)
				}
				if tc.want == full {
					checkMSD(t, err, pikvm.StepWrite, 0)
				}
				time.Sleep(time.Second)
				if got, err := f.client.MSD.Download(t.Context(), "a.img", io.Discard, nil); err != nil || got.Size != 5000 {
					t.Errorf("the next one: %+v, %v", got, err)
				}
			})
		})
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// TestMount checks every way of mounting and ejecting, and what the host sees.
func TestMount(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		ctx, msd := t.Context(), f.client.MSD
		put(t, f, "a.iso", 10)
		put(t, f, "b.img", 10)
		for _, step := range []struct {
			image string
			opts  *pikvm.MountOptions
			want  pikvmtest.Drive
		}{
			{"a.iso", &pikvm.MountOptions{CDROM: true}, pikvmtest.Drive{Connected: true, Image: "a.iso", CDROM: true}},
			{"a.iso", &pikvm.MountOptions{CDROM: true}, pikvmtest.Drive{Connected: true, Image: "a.iso", CDROM: true}},
			{"a.iso", nil, pikvmtest.Drive{Connected: true, Image: "a.iso"}},
			{"b.img", &pikvm.MountOptions{Writable: true}, pikvmtest.Drive{Connected: true, Image: "b.img", Writable: true}},
			{"/b.img", nil, pikvmtest.Drive{Connected: true, Image: "b.img"}},
		} {
			if err := msd.Mount(ctx, step.image, step.opts); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(step.want, f.Drive()); d != "" {
				t.Errorf("drive (-want +got):\n%s", d)
			}
		}
		f.ClearRequests()
		if err := msd.Mount(ctx, "b.img", nil); err != nil || len(f.Requests()) != 1 {
			t.Errorf("what is mounted was touched: %v, %d requests", err, len(f.Requests()))
		}
		checkMSD(t, msd.Mount(ctx, "a.iso", &pikvm.MountOptions{Writable: true}), pikvm.StepCheck, errkit.Conflict|errkit.NotSent)
		if err := f.PutIncompleteImage("c.img", 10); err != nil {
			t.Fatal(err)
		}
		checkMSD(t, msd.Mount(ctx, "c.img", nil), pikvm.StepCheck, errkit.Conflict|errkit.NotSent)
		if got := f.Drive(); !got.Connected || got.Image != "b.img" {
			t.Errorf("a refused mount changed the drive to %+v", got)
		}
		f.LockDrive(true)
		failure{Type: "APIError", Class: pikvm.ErrBusy, Kinds: errkit.Busy, Status: 400}.check(t, msd.Eject(ctx, nil))
		f.LockDrive(false)
		for range 2 {
			if err := msd.Eject(ctx, nil); err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(pikvmtest.Drive{}, f.Drive()); d != "" {
				t.Errorf("drive (-want +got):\n%s", d)
			}
		}
		failure{Type: "APIError", Class: pikvm.ErrNotFound, Kinds: errkit.NotFound | errkit.Invalid, Status: 400}.
			check(t, msd.Mount(ctx, "none.img", nil))
		f.HoldMSD(5 * time.Second)
		failure{Type: "APIError", Class: pikvm.ErrBusy, Kinds: errkit.Busy | errkit.NotSent}.check(t, msd.Mount(ctx, "a.iso", nil))
		if err := msd.Mount(ctx, "a.iso", &pikvm.MountOptions{BusyWait: time.Minute}); err != nil {
			t.Error(err)
		}
		f.LockDrive(true)
		if err := msd.Reset(ctx); err != nil || f.Drive().Connected {
			t.Errorf("reset: %v, %+v", err, f.Drive())
		}
	})
}

// TestMountUnseen: a device that says yes and does nothing is found out.
func TestMountUnseen(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		put(t, f, "a.iso", 10)
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/msd/set_connected", Body: []byte(okEmpty)})
		err := f.client.MSD.Mount(t.Context(), "a.iso", nil)
		checkMSD(t, err, pikvm.StepDrive, errkit.Timeout)
		f.ClearFaults()
		if err := f.client.MSD.Mount(t.Context(), "a.iso", nil); err != nil {
			t.Error(err)
		}
	})
}

// TestRemove checks that a name is free when the method returns, and the clean-up of what is incomplete.
func TestRemove(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		ctx, msd := t.Context(), f.client.MSD
		put(t, f, "a.img", 10)
		for _, name := range []string{"x.img", "y.img"} {
			if err := f.PutIncompleteImage(name, 10); err != nil {
				t.Fatal(err)
			}
		}
		removed, err := msd.RemoveIncomplete(ctx, nil)
		if d := cmp.Diff([]string{"x.img", "y.img"}, removed); d != "" || err != nil {
			t.Errorf("removed (-want +got):\n%s%v", d, err)
		}
		if removed, err = msd.RemoveIncomplete(ctx, nil); len(removed) > 0 || err != nil {
			t.Errorf("removed %v, %v", removed, err)
		}
		if err := msd.Remove(ctx, "a.img", nil); err != nil {
			t.Fatal(err)
		}
		state, err := msd.State(ctx)
		if err != nil || len(state.Storage.Images) > 0 {
			t.Errorf("listed: %+v, %v", state.Storage.Images, err)
		}
		failure{Type: "APIError", Class: pikvm.ErrNotFound, Kinds: errkit.NotFound | errkit.Invalid, Status: 400}.
			check(t, msd.Remove(ctx, "a.img", nil))
		put(t, f, "a.img", 10)
		err = msd.Remove(ctx, "a.img", &pikvm.RemoveOptions{ListTimeout: 100 * time.Millisecond})
		checkMSD(t, err, pikvm.StepList, errkit.Timeout)
		time.Sleep(2 * time.Second)
		put(t, f, "s.img", 10)
		f.SetImageStatic("s.img", true)
		failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Invalid, Status: 400}.check(t, msd.Remove(ctx, "s.img", nil))
		f.HoldMSD(time.Second)
		_, err = msd.RemoveIncomplete(ctx, nil)
		failure{Type: "APIError", Class: pikvm.ErrBusy, Kinds: errkit.Busy | errkit.NotSent}.check(t, err)
	})
}

// TestWaitSurvivesTrouble: a passing failure of a look at the list does not end the wait for it.
func TestWaitSurvivesTrouble(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: "/api/msd", Skip: 1, Times: 2})
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultReset, Path: "/api/msd", Skip: 1, Times: 2})
		if _, err := f.client.MSD.Upload(t.Context(), "a.img", strings.NewReader("x"), 1, nil); err != nil {
			t.Error(err)
		}
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultGarbage, Path: "/api/msd", Skip: 1})
		_, err := f.client.MSD.Upload(t.Context(), "b.img", strings.NewReader("x"), 1, nil)
		if !errors.Is(err, pikvm.ErrResponse) {
			t.Errorf("garbage: %v", err)
		}
	})
}

// TestUploadCutOff: a connection that breaks in an upload is a typed error, and what is left is known.
func TestUploadCutOff(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{false, true} {
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			network := f.network
			_, err := f.client.MSD.Upload(t.Context(), "a.img", &cutAt{r: zeros{}, after: 200_000, cut: network.ResetAll},
				1<<20, &pikvm.UploadOptions{KeepIncomplete: keep})
			failure{Type: "ConnectError", Class: pikvm.ErrConnect, Kinds: errkit.Connection | errkit.Disconnected}.check(t, err)
			time.Sleep(2 * time.Second)
			state, err := f.client.MSD.State(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			image, ok := state.Storage.Images["a.img"]
			if ok != keep || image.Complete || state.Busy {
				t.Errorf("kept %t: %+v, busy %t", keep, image, state.Busy)
			}
			if _, err := f.client.MSD.RemoveIncomplete(t.Context(), nil); err != nil {
				t.Error(err)
			}
			if _, err := f.client.MSD.Upload(t.Context(), "a.img", strings.NewReader("x"), 1, nil); err != nil {
				t.Errorf("the next one: %v", err)
			}
		})
	}
}

// cutAt does something when so many bytes have been read.
type cutAt struct {
	r     io.Reader
	after int
	cut   func()
}

func (c *cutAt) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.after -= n; c.after <= 0 && c.cut != nil {
		c.cut()
		c.cut = nil
	}
	return n, err
}

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
