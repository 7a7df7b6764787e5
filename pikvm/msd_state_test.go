package pikvm_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit"
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
