package pikvm_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestSwitchState checks the recorded states.
func TestSwitchState(t *testing.T) {
	t.Parallel()
	const dell = "3f0c2b1e-6c0f-4d5e-9b53-2f6f5b1f2f10"
	got := decodeFile[pikvm.SwitchState](t, "switch_two_units.json")
	if got.ActivePort != 5 || got.ActiveID != "2.2" || !got.Synced || len(got.Units) != 2 || len(got.Ports) != 8 {
		t.Errorf("state is %+v", got)
	}
	if d := cmp.Diff(pikvm.SwitchUnit{Firmware: 9}, got.Units[1]); d != "" {
		t.Errorf("unit (-want +got):\n%s", d)
	}
	want := pikvm.SwitchPort{
		ID: "1.2", Unit: 0, Channel: 1, EDID: dell, Dummy: true, Video: true, USB: true, PowerLED: true, HDDLED: true,
		PowerDelay: 500 * time.Millisecond, PowerLongDelay: 5500 * time.Millisecond, ResetDelay: 500 * time.Millisecond,
	}
	if d := cmp.Diff(want, got.Ports[1]); d != "" {
		t.Errorf("port (-want +got):\n%s", d)
	}
	if got.Ports[5].Name != "nas" || got.Ports[5].ID != "2.2" || got.Ports[5].Unit != 1 {
		t.Errorf("port is %+v", got.Ports[5])
	}
	if d := cmp.Diff(pikvm.SwitchColor{Red: 228, Green: 44, Blue: 156, Brightness: 255, Blink: 250 * time.Millisecond}, got.Colors[pikvm.ColorBeacon]); d != "" {
		t.Errorf("colour (-want +got):\n%s", d)
	}
	info := &pikvm.EDIDInfo{Manufacturer: "LNX", Product: 30577, Serial: 16843009, Monitor: "PiKVM V3", MonitorID: "CAFEBABE"}
	if d := cmp.Diff(info, got.EDIDs[dell].Parsed); d != "" || got.EDIDs[dell].Name != "Dell 24" || len(got.EDIDs[dell].Data) != 512 {
		t.Errorf("EDID (-want +got):\n%s", d)
	}
	if one := decodeFile[pikvm.SwitchState](t, "switch_one_unit.json"); len(one.Ports) != 4 || one.ActiveID != "2" {
		t.Errorf("one unit: %+v", one)
	}
	none, err := replay(t, exchangeNamed(t, "switch_none"), nil).Switch.State(t.Context())
	if err != nil || none.ActivePort != -1 || len(none.Ports) > 0 || len(none.EDIDs) != 1 || !json.Valid(none.Raw) {
		t.Errorf("none: %+v, %v", none, err)
	}
	for _, body := range []string{`{}`, `[]`, `{"model": {}}`, `{"summary": {"active_port": 1}}`, `{"model": {"ports": {}}, "summary": {"active_port": 1}}`} {
		if err := json.Unmarshal([]byte(body), new(pikvm.SwitchState)); err == nil {
			t.Errorf("%s: no error", body)
		}
	}
	tolerant := `{"model": {"ports": [{"channel": 0.0, "new": 1}]}, "summary": {"active_port": 0.0}, "edids": {"all": {"x": {"parsed": null}}}}`
	if err := json.Unmarshal([]byte(tolerant), none); err != nil || len(none.Ports) != 1 || none.Ports[0].Video || none.EDIDs["x"].Parsed != nil {
		t.Errorf("lists that are too short: %+v, %v", none, err)
	}
}

// TestSwitchPortIndex checks the numbers on the switch against its indexes.
func TestSwitchPortIndex(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ unit, channel, want int }{
		{1, 1, 0}, {1, 4, 3}, {2, 3, 6}, {5, 4, 19}, {0, 1, -1}, {6, 1, -1}, {1, 0, -1}, {1, 5, -1},
	} {
		if got := pikvm.SwitchPortIndex(tc.unit, tc.channel); got != tc.want {
			t.Errorf("%d.%d is %d, want %d", tc.unit, tc.channel, got, tc.want)
		}
	}
}

// TestSwitch works the switch of the fake and looks at the effects.
func TestSwitch(t *testing.T) {
	t.Parallel()
	inBubble(t, &pikvmtest.Options{SwitchUnits: 2}, nil, func(t *testing.T, f *fake) {
		ctx, sw := t.Context(), f.client.Switch
		s := f.open(t, nil)
		look := func(what string, want func(*pikvm.SwitchState) bool, errs ...error) {
			t.Helper()
			for _, err := range errs {
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
			}
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			state, err := sw.State(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if !want(state) {
				t.Errorf("%s: state is %s", what, state.Raw)
			}
			got, _ := s.State().Switch()
			if d := cmp.Diff(state, got, cmpopts.IgnoreFields(pikvm.SwitchState{}, "Raw")); d != "" {
				t.Errorf("%s: state by events (-want +got):\n%s", what, d)
			}
		}
		id, err := sw.CreateEDID(ctx, "Dell", edidData)
		look("EDID", func(s *pikvm.SwitchState) bool { return s.EDIDs[id].Name == "Dell" && s.EDIDs[id].Data == edidData }, err)
		name, title, long, dummy := "Other", "build 01", 7*time.Second, false
		look("changed EDID", func(s *pikvm.SwitchState) bool { return s.EDIDs[id].Name == name },
			sw.ChangeEDID(ctx, id, &pikvm.EDIDParams{Name: &name}))
		look("port", func(s *pikvm.SwitchState) bool {
			p := s.Ports[6]
			return p.Name == title && p.EDID == id && !p.Dummy && p.PowerLongDelay == long && p.ID == "2.3"
		}, sw.SetPortParams(ctx, pikvm.SwitchPortIndex(2, 3), &pikvm.SwitchPortParams{Name: &title, EDID: &id, Dummy: &dummy, PowerLongDelay: &long}))
		look("removed EDID", func(s *pikvm.SwitchState) bool {
			_, ok := s.EDIDs[id]
			return !ok && s.Ports[6].EDID == pikvm.DefaultEDID
		},
			sw.RemoveEDID(ctx, id))
		look("active", func(s *pikvm.SwitchState) bool { return s.ActivePort == 6 && s.ActiveID == "2.3" }, sw.SetActive(ctx, 6))
		look("next", func(s *pikvm.SwitchState) bool { return s.ActivePort == 7 }, sw.SetActiveNext(ctx))
		look("previous", func(s *pikvm.SwitchState) bool { return s.ActivePort == 5 }, sw.SetActivePrevious(ctx), sw.SetActivePrevious(ctx))
		look("not there", func(s *pikvm.SwitchState) bool { return s.ActivePort == 5 }, sw.SetActive(ctx, 19))
		look("beacons", func(s *pikvm.SwitchState) bool {
			return s.Ports[2].Beacon && s.Units[1].UplinkBeacon && s.Units[0].DownlinkBeacon && !s.Units[0].UplinkBeacon
		}, sw.SetBeacon(ctx, pikvm.PortBeacon(2), true), sw.SetBeacon(ctx, pikvm.UplinkBeacon(1), true), sw.SetBeacon(ctx, pikvm.DownlinkBeacon(0), true))
		red := pikvm.SwitchColor{Red: 200, Brightness: 9, Blink: 1500 * time.Millisecond}
		look("colours", func(s *pikvm.SwitchState) bool { return s.Colors[pikvm.ColorActive] == red },
			sw.SetColors(ctx, map[pikvm.SwitchColorRole]pikvm.SwitchColor{pikvm.ColorActive: red}))
		look("no colours", func(s *pikvm.SwitchState) bool { return s.Colors[pikvm.ColorActive].Green == 255 }, sw.ResetColors(ctx))
		look("pressed", func(s *pikvm.SwitchState) bool { return s.Ports[3].Busy && !s.Ports[3].PowerLED }, sw.Power(ctx, 3, pikvm.PowerOn))
		time.Sleep(2 * time.Second)
		look("on", func(s *pikvm.SwitchState) bool { return !s.Ports[3].Busy && s.Ports[3].PowerLED }, sw.Click(ctx, 18, pikvm.ButtonReset))
		f.SetSwitchHost(0, pikvmtest.SwitchHost{HDD: true, Linked: true})
		look("host", func(s *pikvm.SwitchState) bool { p := s.Ports[0]; return p.HDDLED && p.Video && p.USB }, sw.Reset(ctx, 0, false))
		failure{Type: "APIError", Class: pikvm.ErrNotFound, Kinds: errkit.NotFound | errkit.Invalid, Status: 400}.
			check(t, sw.RemoveEDID(ctx, id))
	})
	inBubble(t, &pikvmtest.Options{Version: "4.25"}, nil, func(t *testing.T, f *fake) {
		_, err := f.client.Switch.State(t.Context())
		failure{Type: "APIError", Class: pikvm.ErrNotFound, Kinds: errkit.NotFound, Status: 404}.check(t, err)
	})
}
