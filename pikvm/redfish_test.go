package pikvm_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestRedfish reads all documents of the fake, and works the host and the drive through them.
func TestRedfish(t *testing.T) {
	t.Parallel()
	inBubble(t, &pikvmtest.Options{SwitchUnits: 1}, nil, func(t *testing.T, f *fake) {
		ctx, r := t.Context(), f.client.Redfish
		put(t, f, "a.img", 10)
		root, err := r.Root(ctx)
		if err != nil || root.Version != "1.6.0" || root.ID != "RootService" || !json.Valid(root.Raw) {
			t.Errorf("root: %+v, %v", root, err)
		}
		for name, list := range map[string]struct {
			get  func() (*pikvm.RedfishCollection, error)
			want []string
		}{
			"systems":  {func() (*pikvm.RedfishCollection, error) { return r.Systems(ctx) }, []string{"0", "SwitchPort0", "SwitchPort1", "SwitchPort2", "SwitchPort3"}},
			"managers": {func() (*pikvm.RedfishCollection, error) { return r.Managers(ctx) }, []string{"BMC"}},
			"media":    {func() (*pikvm.RedfishCollection, error) { return r.VirtualMedia(ctx) }, []string{"MSD"}},
		} {
			got, err := list.get()
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(list.want, got.Members); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
		if m, err := r.Manager(ctx); err != nil || m.Type != "BMC" {
			t.Errorf("manager: %+v, %v", m, err)
		}
		if err := r.UpdateSystem(ctx, pikvm.HostSystem, json.RawMessage(`{"AssetTag": "x"}`)); err != nil {
			t.Error(err)
		}
		if err := r.Reset(ctx, pikvm.HostSystem, pikvm.ResetOn); err != nil {
			t.Fatal(err)
		}
		failure{Type: "APIError", Class: pikvm.ErrBusy, Kinds: errkit.Busy, Status: 409}.
			check(t, r.Reset(ctx, pikvm.HostSystem, pikvm.ResetPushPowerButton))
		time.Sleep(3 * time.Second)
		system, err := r.System(ctx, pikvm.HostSystem)
		want := &pikvm.RedfishSystem{ID: "0", HostName: "pikvm", Power: true, Resets: []pikvm.ResetType{
			pikvm.ResetOn, pikvm.ResetForceOff, pikvm.ResetGracefulShutdown, pikvm.ResetForceRestart, pikvm.ResetForceOn,
			pikvm.ResetPushPowerButton,
		}}
		if d := cmp.Diff(want, system, cmpopts.IgnoreFields(pikvm.RedfishSystem{}, "Raw")); d != "" || err != nil || !f.HostPower() {
			t.Errorf("system (-want +got):\n%s%v", d, err)
		}
		if err := r.Reset(ctx, pikvm.SwitchSystem(2), pikvm.ResetForceOn); err != nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Second)
		if system, err = r.System(ctx, pikvm.SwitchSystem(2)); err != nil || !system.Power {
			t.Errorf("port: %+v, %v", system, err)
		}
		_, err = r.System(ctx, pikvm.SwitchSystem(4))
		failure{Type: "APIError", Class: pikvm.ErrInvalidArgument, Kinds: errkit.Invalid, Status: 400}.check(t, err)
		if err := r.Reset(ctx, pikvm.SwitchSystem(4), pikvm.ResetOn); err != nil {
			t.Errorf("the device says nothing of a port that is not there: %v", err)
		}

		if err := r.InsertMedia(ctx, "a.img", true); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(pikvmtest.Drive{Connected: true, Image: "a.img", Writable: true}, f.Drive()); d != "" {
			t.Errorf("drive (-want +got):\n%s", d)
		}
		drive, err := r.Drive(ctx)
		full := &pikvm.RedfishDrive{Image: "a.img", Inserted: true, Writable: true, Enabled: true, Online: true}
		if d := cmp.Diff(full, drive, cmpopts.IgnoreFields(pikvm.RedfishDrive{}, "Raw")); d != "" || err != nil {
			t.Errorf("document (-want +got):\n%s%v", d, err)
		}
		failure{Type: "APIError", Class: pikvm.ErrPrecondition, Kinds: errkit.Conflict | errkit.Invalid, Status: 400}.
			check(t, r.InsertMedia(ctx, "a.img", true))
		if err := r.EjectMedia(ctx); err != nil || f.Drive().Image != "" {
			t.Errorf("eject: %v, %+v", err, f.Drive())
		}
		f.SetMSDOnline(false)
		failure{Type: "APIError", Class: pikvm.ErrAPI, Kinds: errkit.Internal, Status: 500}.check(t, r.InsertMedia(ctx, "a.img", true))
		if drive, err = r.Drive(ctx); err != nil || drive.Online || !drive.Enabled {
			t.Errorf("offline: %+v, %v", drive, err)
		}
	})
}

// TestRedfishDocuments checks the recorded drive, and what is no document.
func TestRedfishDocuments(t *testing.T) {
	t.Parallel()
	var drive pikvm.RedfishDrive
	if err := json.Unmarshal([]byte(readTestdata(t, "redfish_virtualmedia_msd_connected.json")), &drive); err != nil {
		t.Fatal(err)
	}
	want := pikvm.RedfishDrive{Image: "small.iso", Inserted: true, Enabled: true, Online: true, Optical: true}
	if d := cmp.Diff(want, drive, cmpopts.IgnoreFields(pikvm.RedfishDrive{}, "Raw")); d != "" {
		t.Errorf("drive (-want +got):\n%s", d)
	}
	for _, body := range []string{
		okEmpty, `{}`, `[]`, `null`, `<html>`, `{"@odata.id": "/x"}`, `{"@odata.id": "/x", "PowerState": 1}`, `{"@odata.id": 1}`,
	} {
		inBubble(t, nil, nil, func(t *testing.T, f *fake) {
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Body: []byte(body), Times: 1})
			_, err := f.client.Redfish.System(t.Context(), pikvm.HostSystem)
			failure{Type: "ResponseError", Class: pikvm.ErrResponse, Kinds: errkit.Protocol, Status: 200}.check(t, err)
		})
	}
}

// TestDocumentsRetried: documents and metrics are repeated as other GET requests are, actions are not.
func TestDocumentsRetried(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, &pikvm.Options{Retry: &retry.Policy{MaxAttempts: 3}}, func(t *testing.T, f *fake) {
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: "/redfish/v1/Systems/0", Times: 2})
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Path: "/api/export/*", Times: 2})
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultPage, Method: http.MethodPost, Times: 1})
		if _, err := f.client.Redfish.System(t.Context(), pikvm.HostSystem); err != nil {
			t.Error(err)
		}
		if m, err := f.client.Export.Prometheus(t.Context()); err != nil || m == nil {
			t.Error(err)
		}
		if err := f.client.Redfish.Reset(t.Context(), pikvm.HostSystem, pikvm.ResetOn); !errors.Is(err, errkit.Unavailable) {
			t.Errorf("a press was repeated: %v", err)
		}
	})
}
