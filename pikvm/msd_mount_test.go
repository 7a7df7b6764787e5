package pikvm_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

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
