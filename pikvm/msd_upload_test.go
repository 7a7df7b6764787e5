package pikvm_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// pattern returns n bytes that are the same in every run, and that no piece of them repeats.
func pattern(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b) // never fails
	return b
}

// TestUpload uploads an image and checks what the device got, how, and when the method returned.
func TestUpload(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		data := pattern(300_000)
		var sent []int64
		begin := time.Now()
		got, err := f.client.MSD.Upload(t.Context(), "disk\x02.img", bare(bytes.NewReader(data)), int64(len(data)),
			&pikvm.UploadOptions{
				Verify: true,
				Progress: func(done, size int64) {
					if size != int64(len(data)) {
						t.Errorf("size is %d", size)
					}
					sent = append(sent, done)
				},
			})
		if err != nil {
			t.Fatal(err)
		}
		want := &pikvm.WrittenImage{Name: "disk_.img", Size: int64(len(data)), Written: int64(len(data))}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("result (-want +got):\n%s", d)
		}
		if took := time.Since(begin); took < 900*time.Millisecond || took > 3*time.Second {
			t.Errorf("returned after %v, before or long after the device listed the image", took)
		}
		content, err := f.ImageContent("disk_.img")
		if err != nil || !bytes.Equal(content, data) {
			t.Errorf("the device has %d other bytes (%v)", len(content), err)
		}
		if len(sent) < 5 || sent[len(sent)-1] != int64(len(data)) {
			t.Errorf("progress is %v", sent)
		}
		for i, n := range sent[1:] {
			if n <= sent[i] {
				t.Errorf("progress goes from %d to %d", sent[i], n)
			}
		}
		for _, r := range f.Requests() {
			if r.Path == "/api/msd/write" && (r.Header.Get("Content-Length") != "300000" || r.Header.Get("Transfer-Encoding") != "" ||
				r.Header.Get("Content-Type") != "application/octet-stream") {
				t.Errorf("header is %v", r.Header)
			}
		}
		state, err := f.client.MSD.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		image := state.Storage.Images["disk_.img"]
		if !image.Complete || image.Size != int64(len(data)) || image.Ghost() || !image.Writable || image.Modified.Before(begin) {
			t.Errorf("listed as %+v", image)
		}
	})
}

// TestUploadFile uploads a file under its own name.
func TestUploadFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file.iso")
	if err := os.WriteFile(path, pattern(1000), 0o600); err != nil {
		t.Fatal(err)
	}
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		for _, name := range []string{"", "other.img"} {
			if _, err := f.client.MSD.UploadFile(t.Context(), path, name, nil); err != nil {
				t.Fatal(err)
			}
		}
		names := []string{}
		for _, image := range f.Images() {
			names = append(names, image.Name)
		}
		if d := cmp.Diff([]string{"file.iso", "other.img"}, names); d != "" {
			t.Errorf("images (-want +got):\n%s", d)
		}
		_, err := f.client.MSD.UploadFile(t.Context(), path+".none", "", nil)
		checkMSD(t, err, pikvm.StepRead, errkit.Invalid|errkit.NotSent)
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v hides its cause", err)
		}
		if _, err = f.client.MSD.UploadFile(t.Context(), filepath.Dir(path), "x", nil); !errors.Is(err, pikvm.ErrConfiguration) {
			t.Errorf("a directory: %v", err)
		}
	})
}

// checkMSD compares an error with what is expected of an MSDError.
func checkMSD(t *testing.T, err error, step string, kinds errkit.Kind) {
	t.Helper()
	e, ok := errors.AsType[*pikvm.MSDError](err)
	if !ok {
		t.Fatalf("error is %T: %v", err, err)
	}
	if e.Step != step || e.Kinds() != kinds || !errors.Is(err, pikvm.ErrMSD) || !errors.Is(err, pikvm.Err) {
		t.Errorf("error %v: step %q, kinds %v, want %q, %v", err, e.Step, e.Kinds().Names(), step, kinds.Names())
	}
	if len(e.ErrorAttrs()) != 4 || strings.ContainsAny(err.Error(), "\r\n") {
		t.Errorf("error %q with %v", err, e.ErrorAttrs())
	}
}

// TestUploadCheck: what the device would refuse is found before a byte of the source is read.
func TestUploadCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		device  pikvmtest.Options
		prepare func(t *testing.T, f *fake)
		class   *errkit.Class
		kinds   errkit.Kind
		code    string
	}{
		{
			name: "disabled", device: pikvmtest.Options{MSD: pikvmtest.MSDOptions{Disabled: true}},
			class: pikvm.ErrDisabled, kinds: errkit.Unsupported, code: "MsdDisabledError",
		},
		{
			name: "offline", device: pikvmtest.Options{MSD: pikvmtest.MSDOptions{Offline: true}},
			class: pikvm.ErrOffline, kinds: errkit.Unavailable, code: "MsdOfflineError",
		},
		{
			name: "busy", prepare: func(_ *testing.T, f *fake) { f.HoldMSD(time.Minute) },
			class: pikvm.ErrBusy, kinds: errkit.Busy, code: "MsdIsBusyError",
		},
		{
			name: "connected", prepare: func(t *testing.T, f *fake) {
				put(t, f, "b.img", 10)
				if err := f.client.MSD.Mount(t.Context(), "b.img", nil); err != nil {
					t.Fatal(err)
				}
			},
			class: pikvm.ErrPrecondition, kinds: errkit.Conflict, code: "MsdConnectedError",
		},
		{
			name: "exists", prepare: func(t *testing.T, f *fake) { put(t, f, "a.img", 10) },
			class: pikvm.ErrExists, kinds: errkit.Conflict, code: "MsdImageExistsError",
		},
		{
			name: "no room", device: pikvmtest.Options{MSD: pikvmtest.MSDOptions{Capacity: 999}},
			class: pikvm.ErrMSD, kinds: errkit.Full,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &tc.device, nil, func(t *testing.T, f *fake) {
				if tc.prepare != nil {
					tc.prepare(t, f)
				}
				f.ClearRequests()
				source := iotest.ErrReader(errors.New("read"))
				_, err := f.client.MSD.Upload(t.Context(), "/a.img", source, 1000, nil)
				if tc.class == pikvm.ErrMSD {
					checkMSD(t, err, pikvm.StepCheck, tc.kinds|errkit.NotSent)
				} else {
					failure{Type: "APIError", Class: tc.class, Kinds: tc.kinds | errkit.NotSent}.check(t, err)
					if e, _ := errors.AsType[*pikvm.APIError](err); e.Code != tc.code {
						t.Errorf("code is %q, want %q", e.Code, tc.code)
					}
				}
				for _, r := range f.Requests() {
					if r.Method != "GET" {
						t.Errorf("request %s %s", r.Method, r.Path)
					}
				}
			})
		})
	}
}

// put puts an image into the storage.
func put(t *testing.T, f *fake, name string, size int) {
	t.Helper()
	if err := f.PutImage(name, pattern(size)); err != nil {
		t.Fatal(err)
	}
}

// TestUploadReplace: the old image goes first, and its ghost is waited for.
func TestUploadReplace(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		put(t, f, "a.img", 10)
		replace := &pikvm.UploadOptions{Replace: true}
		for size := int64(20); size < 23; size++ {
			if _, err := f.client.MSD.Upload(t.Context(), "a.img", bytes.NewReader(pattern(int(size))), size, replace); err != nil {
				t.Fatal(err)
			}
			if images := f.Images(); len(images) != 1 || images[0].Size != size {
				t.Errorf("images are %+v", images)
			}
		}
		if err := f.client.MSD.Remove(t.Context(), "a.img", &pikvm.RemoveOptions{ListTimeout: -1}); err != nil {
			t.Fatal(err)
		}
		state, err := f.client.MSD.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !state.Storage.Images["a.img"].Ghost() {
			t.Fatalf("no ghost in %+v", state.Storage.Images)
		}
		if _, err := f.client.MSD.Upload(t.Context(), "a.img", strings.NewReader("x"), 1, nil); err != nil {
			t.Errorf("over a ghost: %v", err)
		}
	})
}

// TestUploadBadResult checks answers of a device that stored something else.
func TestUploadBadResult(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]error{
		`{"ok": true, "result": {"image": {"name": "a.img", "size": 1, "written": 0}}}`: pikvm.ErrMSD,
		`{"ok": true, "result": {"image": {"name": "a.img", "size": 2, "written": 2}}}`: pikvm.ErrMSD,
		`{"ok": true, "result": {"image": {"name": "a.img"}}}`:                          pikvm.ErrResponse,
		`{"ok": true, "result": {}}`:                                                    pikvm.ErrResponse,
		`{"ok": false, "result": {"error": "MsdImageExistsError", "error_msg": "x"}}`:   pikvm.ErrExists,
		`<html>`: pikvm.ErrResponse,
	} {
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/msd/write", Body: []byte(body)})
			_, err := f.client.MSD.Upload(t.Context(), "a.img", strings.NewReader("x"), 1, nil)
			if !errors.Is(err, want) {
				t.Errorf("%s: %v", body, err)
			}
		})
	}
}

// TestUploadVerify: an image that changed on the device is found by reading it back.
func TestUploadVerify(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/msd/read", Body: []byte("xyz!"), Times: 1})
		verify := &pikvm.UploadOptions{Verify: true}
		_, err := f.client.MSD.Upload(t.Context(), "a.img", strings.NewReader("xyz"), 3, verify)
		checkMSD(t, err, pikvm.StepVerify, errkit.Conflict)
		if _, err := f.client.MSD.Upload(t.Context(), "b.img", strings.NewReader("xyz"), 3, verify); err != nil {
			t.Error(err)
		}
	})
}
