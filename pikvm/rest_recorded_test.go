package pikvm_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// The data of an EDID, as long as the recorded ones that are shown as a note of their length.
var edidData = "00FFFFFFFFFFFF00" + strings.Repeat("0", 512-16)

// edidUUID is the id of the recorded EDID.
const edidUUID = "28547134-38f3-443d-ae9d-97253c43ebcc"

// restCall is a method of the client that makes a recorded request.
type restCall func(ctx context.Context, c *pikvm.Client) error

// TestRestRecorded checks that the methods send the recorded requests, and that they take the answers for what they are.
func TestRestRecorded(t *testing.T) {
	t.Parallel()
	calls := recordedCalls()
	done := make(map[string]int)
	for _, e := range loadExchanges(t) {
		key := e.Name
		if key == "" {
			key = e.Method + " " + e.Path
		}
		call, ok := calls[key]
		if !ok {
			continue
		}
		done[key]++
		e.Path = strings.Replace(e.Path, "/api/redfish", "/redfish", 1) // the same documents are under both
		e.Path = strings.Replace(e.Path, "<512 hex chars>", edidData, 1)
		if strings.HasPrefix(e.Path, "/api/hid/print") { // the client never lets the device cut a text
			path, query, _ := strings.Cut(e.Path, "?")
			e.Path = path + "?limit=0&" + query
		}
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			err := call(t.Context(), replay(t, e, nil))
			if e.Status >= http.StatusMultipleChoices {
				checkRefusal(t, e, err)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	for key := range calls {
		if done[key] == 0 {
			t.Errorf("%s was not recorded", key)
		}
	}
}

func recordedCalls() map[string]restCall {
	calls := make(map[string]restCall)
	for _, part := range []map[string]restCall{gpioCalls(), switchCalls(), redfishCalls(), msdCalls(), hidCalls(), streamerCalls()} {
		for key, call := range part {
			calls[key] = call
		}
	}
	calls["prometheus"] = func(ctx context.Context, c *pikvm.Client) error { _, err := c.Export.Prometheus(ctx); return err }
	calls["prometheus_disabled"] = calls["prometheus"]
	calls["log_disabled"] = func(ctx context.Context, c *pikvm.Client) error {
		for _, err := range c.Log.Records(ctx, nil) {
			return err
		}
		return nil
	}
	return calls
}

func gpioCalls() map[string]restCall {
	state := func(ctx context.Context, c *pikvm.Client) error { _, err := c.GPIO.State(ctx); return err }
	set := func(channel string, on bool, opts *pikvm.GPIOOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.GPIO.Switch(ctx, channel, on, opts) }
	}
	pulse := func(channel string, opts *pikvm.PulseOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.GPIO.Pulse(ctx, channel, opts) }
	}
	return map[string]restCall{
		"gpio": state, "gpio_after_switch": state, "gpio_busy_state": state,
		"gpio_switch":       set("relay1", true, &pikvm.GPIOOptions{Wait: true}),
		"gpio_pulse":        pulse("relay1", &pikvm.PulseOptions{Length: time.Second}),
		"gpio_busy":         pulse("relay1", nil),
		"gpio_notfound":     set("zzz", true, nil),
		"gpio_input_switch": set("led1", true, nil),
		"gpio_noswitch":     set("button1", true, nil),
		"gpio_nopulse":      pulse("__v3_usb_breaker__", nil),
		"gpio_pulse_wait":   pulse("button1", &pikvm.PulseOptions{Wait: true}),

		"POST /api/gpio/switch?channel=relay1&state=0": set("relay1", false, nil),
	}
}

func switchCalls() map[string]restCall {
	const unknown = "00000000-0000-0000-0000-000000000000"
	zero, one, srv, newName, bad := time.Duration(0), time.Second, "srv", "New", unknown
	_, off, id := zero, false, edidUUID
	state := func(ctx context.Context, c *pikvm.Client) error { _, err := c.Switch.State(ctx); return err }
	params := func(p *pikvm.SwitchPortParams) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.Switch.SetPortParams(ctx, 0, p) }
	}
	colors := func(role pikvm.SwitchColorRole, color pikvm.SwitchColor) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			return c.Switch.SetColors(ctx, map[pikvm.SwitchColorRole]pikvm.SwitchColor{role: color})
		}
	}
	reset := func(role pikvm.SwitchColorRole) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.Switch.ResetColors(ctx, role) }
	}
	change := func(id string) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			return c.Switch.ChangeEDID(ctx, id, &pikvm.EDIDParams{Name: &newName})
		}
	}
	create := func(name string) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Switch.CreateEDID(ctx, name, edidData)
			return err
		}
	}
	remove := func(id string) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.Switch.RemoveEDID(ctx, id) }
	}
	return map[string]restCall{
		"switch_none": state, "switch_with_edid": state,
		"switch_set_active_none": func(ctx context.Context, c *pikvm.Client) error { return c.Switch.SetActive(ctx, 1) },
		"switch_next":            func(ctx context.Context, c *pikvm.Client) error { return c.Switch.SetActiveNext(ctx) },
		"switch_prev":            func(ctx context.Context, c *pikvm.Client) error { return c.Switch.SetActivePrevious(ctx) },
		"switch_edid_create":     create("Test"),
		"switch_edid_change":     change(edidUUID), "switch_edid_change_unknown": change(unknown),
		"switch_edid_remove": remove(edidUUID), "switch_edid_remove_again": remove(edidUUID),
		"switch_port_params":          params(&pikvm.SwitchPortParams{EDID: &id, Name: &srv, Dummy: &off, PowerDelay: &one}),
		"switch_port_params_bad_edid": params(&pikvm.SwitchPortParams{EDID: &bad}),
		"switch_colors":               colors(pikvm.ColorActive, pikvm.SwitchColor{Red: 255, Brightness: 64}),
		"switch_colors_default":       reset(pikvm.ColorActive),
		"switch_reset":                func(ctx context.Context, c *pikvm.Client) error { return c.Switch.Reset(ctx, 0, false) },
		"switch_atx_power": func(ctx context.Context, c *pikvm.Client) error {
			return c.Switch.Power(ctx, 0, pikvm.PowerOn)
		},
		"switch_atx_click": func(ctx context.Context, c *pikvm.Client) error {
			return c.Switch.Click(ctx, 0, pikvm.ButtonReset)
		},
		"POST /api/switch/set_colors?beacon=00FF00:40:0100": colors(pikvm.ColorBeacon,
			pikvm.SwitchColor{Green: 255, Brightness: 64, Blink: 256 * time.Millisecond}),
		"POST /api/switch/set_colors?beacon=default": reset(pikvm.ColorBeacon),
	}
}

func redfishCalls() map[string]restCall {
	system := func(id string) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { _, err := c.Redfish.System(ctx, id); return err }
	}
	reset := func(id string) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.Redfish.Reset(ctx, id, pikvm.ResetOn) }
	}
	root := func(ctx context.Context, c *pikvm.Client) error { _, err := c.Redfish.Root(ctx); return err }
	systems := func(ctx context.Context, c *pikvm.Client) error { _, err := c.Redfish.Systems(ctx); return err }
	drive := func(ctx context.Context, c *pikvm.Client) error { _, err := c.Redfish.Drive(ctx); return err }
	insert := func(ctx context.Context, c *pikvm.Client) error { return c.Redfish.InsertMedia(ctx, "small.iso", true) }
	eject := func(ctx context.Context, c *pikvm.Client) error { return c.Redfish.EjectMedia(ctx) }
	const msd = "/api/redfish/v1/Managers/BMC/VirtualMedia/MSD"
	return map[string]restCall{
		"redfish_root": root, "redfish_root_unauth": root,
		"redfish_systems": systems, "redfish_systems_unauth": systems, "redfish_systems_disabled": systems,
		"redfish_system0": system(pikvm.HostSystem), "redfish_system0_on": system(pikvm.HostSystem),
		"redfish_system0_disabled": system(pikvm.HostSystem),
		"redfish_switchport0":      system(pikvm.SwitchSystem(0)),
		"redfish_managers":         func(ctx context.Context, c *pikvm.Client) error { _, err := c.Redfish.Managers(ctx); return err },
		"redfish_bmc":              func(ctx context.Context, c *pikvm.Client) error { _, err := c.Redfish.Manager(ctx); return err },
		"redfish_vm":               func(ctx context.Context, c *pikvm.Client) error { _, err := c.Redfish.VirtualMedia(ctx); return err },
		"redfish_msd":              drive, "GET " + msd: drive,
		"redfish_reset_ctype": reset(pikvm.HostSystem), "redfish_reset_ctype_json": reset(pikvm.HostSystem),
		"redfish_reset_busy": reset(pikvm.HostSystem), "redfish_reset_disabled": reset(pikvm.HostSystem),
		"redfish_reset_switch":    reset(pikvm.SwitchSystem(9)),
		"redfish_insert_disabled": insert, "POST " + msd + "/Actions/VirtualMedia.InsertMedia": insert,
		"redfish_eject_disabled": eject, "POST " + msd + "/Actions/VirtualMedia.EjectMedia": eject,
	}
}

func msdCalls() map[string]restCall {
	yes, no, none, unknown, small := true, false, "", "unknown.iso", "small.iso"
	remote := "http://example.com/a.iso"
	params := func(p *pikvm.MSDParams) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.MSD.SetParams(ctx, p) }
	}
	connect := func(on bool) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.MSD.SetConnected(ctx, on) }
	}
	download := func(image string, compress pikvm.Compression) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.MSD.Download(ctx, image, io.Discard, &pikvm.DownloadOptions{Compress: compress})
			return err
		}
	}
	remove := func(image string) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			return c.MSD.Remove(ctx, image, &pikvm.RemoveOptions{ListTimeout: -1})
		}
	}
	upload := func(image string, size int) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.MSD.Upload(ctx, image, strings.NewReader(strings.Repeat("x", size)), int64(size),
				&pikvm.UploadOptions{DisableCheck: true, KeepIncomplete: true, ListTimeout: -1})
			return err
		}
	}
	reset := func(ctx context.Context, c *pikvm.Client) error { return c.MSD.Reset(ctx) }
	state := func(ctx context.Context, c *pikvm.Client) error { _, err := c.MSD.State(ctx); return err }
	return map[string]restCall{
		"msd_disabled": state, "msd_disabled_connect": connect(true), "msd_disabled_reset": reset,
		"msd_disabled_write":                                      upload("a.iso", 10),
		"GET /api/msd":                                            state,
		"POST /api/msd/write?image=small.iso":                     upload("small.iso", 100000),
		"POST /api/msd/write?image=slow.img":                      upload("slow.img", 1000000),
		"POST /api/msd/write?image=other.img":                     upload("other.img", 10),
		"POST /api/msd/write?image=q.img":                         upload("q.img", 10),
		"POST /api/msd/write?image=abort.img":                     upload("abort.img", 10),
		"POST /api/msd/remove?image=small.iso":                    remove("small.iso"),
		"POST /api/msd/remove?image=slow.img":                     remove("slow.img"),
		"POST /api/msd/remove?image=abort.img":                    remove("abort.img"),
		"GET /api/msd/read?image=nope.iso":                        download("nope.iso", ""),
		"GET /api/msd/read?image=small.iso":                       download("small.iso", ""),
		"GET /api/msd/read?image=small.iso&compress=zstd":         download("small.iso", pikvm.CompressZstd),
		"GET /api/msd/read?image=small.iso&compress=lzma":         download("small.iso", pikvm.CompressLZMA),
		"POST /api/msd/set_connected?connected=1":                 connect(true),
		"POST /api/msd/set_connected?connected=0":                 connect(false),
		"POST /api/msd/set_params?image=small.iso&cdrom=1&rw=1":   params(&pikvm.MSDParams{Image: &small, CDROM: &yes, Writable: &yes}),
		"POST /api/msd/set_params?cdrom=0":                        params(&pikvm.MSDParams{CDROM: &no}),
		"POST /api/msd/set_params?image=http://example.com/a.iso": params(&pikvm.MSDParams{Image: &remote}),
		"POST /api/msd/set_params?image=unknown.iso":              params(&pikvm.MSDParams{Image: &unknown}),
		"POST /api/msd/set_params?image=":                         params(&pikvm.MSDParams{Image: &none}),
		"POST /api/msd/set_params":                                params(nil),
		"POST /api/msd/reset":                                     reset,
	}
}
