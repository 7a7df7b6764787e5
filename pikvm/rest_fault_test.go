package pikvm_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// faultTarget is a method with the request of it that is spoiled.
type faultTarget struct {
	name  string
	path  string
	shape answerShape
	call  func(ctx context.Context, f *fake) error
}

// answerShape says what an answer is, as far as spoiling it shows.
type answerShape int

const (
	shapeJSON answerShape = iota
	shapeText             // which may be anything
	shapeNone             // no body
)

func faultTargets() []faultTarget {
	return []faultTarget{
		{"gpio.State", "/api/gpio", shapeJSON, func(ctx context.Context, f *fake) error {
			_, err := f.client.GPIO.State(ctx)
			return err
		}},
		{"gpio.Switch", "/api/gpio/switch", shapeJSON, func(ctx context.Context, f *fake) error {
			return f.client.GPIO.Switch(ctx, "relay1", true, &pikvm.GPIOOptions{BusyWait: time.Minute})
		}},
		{"hid.State", "/api/hid", shapeJSON, func(ctx context.Context, f *fake) error {
			_, err := f.client.HID.State(ctx)
			return err
		}},
		{"hid.Keymaps", "/api/hid/keymaps", shapeJSON, func(ctx context.Context, f *fake) error {
			_, err := f.client.HID.Keymaps(ctx)
			return err
		}},
		{"hid.Print", "/api/hid/print", shapeJSON, func(ctx context.Context, f *fake) error {
			return f.client.HID.Print(ctx, "x", nil)
		}},
		{"hid.Shortcut", "/api/hid/events/send_shortcut", shapeJSON, func(ctx context.Context, f *fake) error {
			return f.client.HID.Shortcut(ctx, pikvm.KeyControlLeft, pikvm.KeyC)
		}},
		{"hid.Wheel", "/api/hid/events/send_mouse_wheel", shapeJSON, func(ctx context.Context, f *fake) error {
			return f.client.HID.Wheel(ctx, 0, 1)
		}},
		{"streamer.State", "/api/streamer", shapeJSON, func(ctx context.Context, f *fake) error {
			_, err := f.client.Streamer.State(ctx)
			return err
		}},
		{"streamer.Snapshot", "/api/streamer/snapshot", shapeJSON, func(ctx context.Context, f *fake) error {
			_, err := f.client.Streamer.Snapshot(ctx, &pikvm.SnapshotOptions{Preview: &pikvm.PreviewOptions{MaxWidth: 16}})
			return err
		}},
		{"streamer.SetParams", "/api/streamer/set_params", shapeJSON, func(ctx context.Context, f *fake) error {
			return f.client.Streamer.SetParams(ctx, nil)
		}},
		{"switch.State", "/api/switch", shapeJSON, func(ctx context.Context, f *fake) error {
			_, err := f.client.Switch.State(ctx)
			return err
		}},
		{"switch.SetActive", "/api/switch/set_active", shapeJSON, func(ctx context.Context, f *fake) error {
			return f.client.Switch.SetActive(ctx, 1)
		}},
		{"redfish.System", "/redfish/v1/Systems/0", shapeJSON, func(ctx context.Context, f *fake) error {
			_, err := f.client.Redfish.System(ctx, pikvm.HostSystem)
			return err
		}},
		{"redfish.Reset", "/redfish/v1/Systems/0/Actions/ComputerSystem.Reset", shapeNone, func(ctx context.Context, f *fake) error {
			return f.client.Redfish.Reset(ctx, pikvm.HostSystem, pikvm.ResetOn)
		}},
		{"export.Prometheus", "/api/export/prometheus/metrics", shapeJSON, func(ctx context.Context, f *fake) error {
			_, err := f.client.Export.Prometheus(ctx)
			return err
		}},
		{"log.Records", "/api/log", shapeText, func(ctx context.Context, f *fake) error {
			for _, err := range f.client.Log.Records(ctx, nil) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"msd.State", "/api/msd", shapeJSON, func(ctx context.Context, f *fake) error {
			_, err := f.client.MSD.State(ctx)
			return err
		}},
		{"msd.Upload", "/api/msd/write", shapeJSON, func(ctx context.Context, f *fake) error {
			_, err := f.client.MSD.Upload(ctx, "up.img", strings.NewReader(strings.Repeat("x", 100_000)), 100_000, &pikvm.UploadOptions{Replace: true})
			return err
		}},
		{"msd.Fetch", "/api/msd/write_remote", shapeJSON, func(ctx context.Context, f *fake) error {
			_, err := f.client.MSD.Fetch(ctx, "http://mirror/a.img", &pikvm.FetchOptions{Image: "f.img", Replace: true})
			return err
		}},
		{"msd.Download", "/api/msd/read", shapeText, func(ctx context.Context, f *fake) error {
			_, err := f.client.MSD.Download(ctx, "a.img", io.Discard, nil)
			return err
		}},
		{"msd.Mount", "/api/msd/set_connected", shapeJSON, func(ctx context.Context, f *fake) error {
			if err := f.client.MSD.Mount(ctx, "a.img", nil); err != nil {
				return err
			}
			return f.client.MSD.Eject(ctx, nil)
		}},
		{"msd.Remove", "/api/msd/remove", shapeJSON, func(ctx context.Context, f *fake) error {
			if err := f.PutImage("r.img", []byte("x")); err != nil {
				return err
			}
			return f.client.MSD.Remove(ctx, "r.img", nil)
		}},
	}
}

// TestRestFaults spoils the requests of every resource in every way, checks the typed error, and that the client and
// the device work afterwards.
func TestRestFaults(t *testing.T) {
	t.Parallel()
	answer := func(kind pikvmtest.FaultKind) func(*fake, string) {
		return func(f *fake, path string) {
			f.Inject(pikvmtest.Fault{Kind: kind, Path: path, Bytes: 3, Interval: 2 * time.Minute, Times: 1})
		}
	}
	const code = "JBSWY3DPEHPK3PXP"
	for _, tc := range []struct {
		name  string
		spoil func(f *fake, path string)
		heal  func(f *fake)
		want  error
		not   []answerShape // that it does not show in
	}{
		{"status", func(f *fake, path string) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Status: 500, Path: path, Times: 1})
		}, nil, errkit.Internal, nil},
		{"page", answer(pikvmtest.FaultPage), nil, errkit.Unavailable, nil},
		{"delay", func(f *fake, path string) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultDelay, Delay: 3 * time.Minute, Path: path, Times: 1})
		}, nil, pikvm.ErrConnectionTimeout, nil},
		{"hang", answer(pikvmtest.FaultHang), nil, pikvm.ErrConnectionTimeout, nil},
		{"garbage", answer(pikvmtest.FaultGarbage), nil, pikvm.ErrResponse, []answerShape{shapeText, shapeNone}},
		{"truncated body", answer(pikvmtest.FaultTruncate), nil, pikvm.ErrResponse, []answerShape{shapeNone}},
		{"reset", answer(pikvmtest.FaultReset), nil, pikvm.ErrConnect, nil},
		{"lost answer", answer(pikvmtest.FaultLost), nil, pikvm.ErrConnect, nil},
		{"slow body", answer(pikvmtest.FaultSlow), nil, pikvm.ErrConnectionTimeout, []answerShape{shapeNone}},
		{"502 window", func(f *fake, _ string) { f.SetDown(-1) }, func(f *fake) { f.SetDown(0) }, errkit.Unavailable, nil},
		{"restart", func(f *fake, _ string) { f.Restart(5 * time.Second) }, nil, errkit.Unavailable, nil},
		{"clock skew", func(f *fake, _ string) { f.SetClockSkew(time.Hour) }, func(f *fake) { f.SetClockSkew(0) }, pikvm.ErrAuth, nil},
	} {
		for _, target := range faultTargets() {
			shown := true
			for _, shape := range tc.not {
				shown = shown && shape != target.shape
			}
			if !shown {
				continue
			}
			t.Run(tc.name+" "+target.name, func(t *testing.T) {
				t.Parallel()
				device := &pikvmtest.Options{SwitchUnits: 1, TOTPSecret: code, Streamer: pikvmtest.StreamerOptions{Forever: true}, MSD: pikvmtest.MSDOptions{
					Remotes: map[string]pikvmtest.RemoteImage{"http://mirror/a.img": {Size: 1000}},
				}}
				inBubble(t, device, &pikvm.Options{TOTPSecret: code}, func(t *testing.T, f *fake) {
					put(t, f, "a.img", 1000)
					tc.spoil(f, target.path)
					err := target.call(t.Context(), f)
					if !errors.Is(err, tc.want) || !errors.Is(err, pikvm.Err) {
						t.Errorf("error is %v, want %v", err, tc.want)
					}
					if tc.heal != nil {
						tc.heal(f)
					}
					time.Sleep(4 * time.Minute) // whatever is under way ends
					if strings.HasPrefix(target.name, "msd.Mount") {
						if err := f.client.MSD.Eject(t.Context(), nil); err != nil {
							t.Errorf("eject: %v", err)
						}
					}
					if err := target.call(t.Context(), f); err != nil {
						t.Errorf("afterwards: %v", err)
					}
				})
			})
		}
	}
}

// TestMSDBusy: while the storage is busy, everything that needs it is a typed error, and works afterwards.
func TestMSDBusy(t *testing.T) {
	t.Parallel()
	for _, target := range faultTargets() {
		if !strings.HasPrefix(target.name, "msd.") || target.name == "msd.State" {
			continue
		}
		t.Run(target.name, func(t *testing.T) {
			t.Parallel()
			device := &pikvmtest.Options{MSD: pikvmtest.MSDOptions{
				Remotes: map[string]pikvmtest.RemoteImage{"http://mirror/a.img": {Size: 1000}},
			}}
			inBubble(t, device, nil, func(t *testing.T, f *fake) {
				put(t, f, "a.img", 1000)
				f.HoldMSD(10 * time.Second)
				if err := target.call(t.Context(), f); !errors.Is(err, pikvm.ErrBusy) || !errkit.Transient(err) {
					t.Errorf("error is %v", err)
				}
				time.Sleep(11 * time.Second)
				if err := target.call(t.Context(), f); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}
