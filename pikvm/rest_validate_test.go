package pikvm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// bound is a call with an argument at the border of what the device takes.
type bound struct {
	name  string
	field string // of the error; empty for a value that is just inside
	call  restCall
}

// TestRestValidators checks values just inside, which are sent, and just outside, for which nothing leaves the machine.
func TestRestValidators(t *testing.T) {
	t.Parallel()
	for _, b := range bounds() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			if b.field != "" {
				c := newClient(t, kvmHTTP, &pikvm.Options{DialContext: noDial(t)})
				err := b.call(t.Context(), c)
				failure{
					Type: "ConfigurationError", Class: pikvm.ErrConfiguration, Kinds: errkit.Invalid | errkit.NotSent,
				}.check(t, err)
				if e, ok := errors.AsType[*pikvm.ConfigurationError](err); ok && e.Field != b.field {
					t.Errorf("field is %q, want %q (%v)", e.Field, b.field, err)
				}
				return
			}
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests.Add(1)
				reply(w, http.StatusOK, okEmpty)
			}))
			t.Cleanup(server.Close)
			err := b.call(t.Context(), newClient(t, server.URL, nil))
			if errors.Is(err, pikvm.ErrConfiguration) || requests.Load() == 0 {
				t.Errorf("%d requests, error %v", requests.Load(), err)
			}
		})
	}
}

func bounds() []bound {
	var all []bound
	for _, part := range [][]bound{imageBounds(), msdBounds(), gpioBounds(), switchBounds(), hidBounds(), streamerBounds(), screenBounds(), otherBounds()} {
		all = append(all, part...)
	}
	return all
}

// imageBounds are the names of images, for every method that takes one.
func imageBounds() []bound {
	methods := map[string]func(image string) restCall{
		"image": func(image string) restCall {
			return func(ctx context.Context, c *pikvm.Client) error {
				return c.MSD.Remove(ctx, image, &pikvm.RemoveOptions{ListTimeout: -1})
			}
		},
		"Image": func(image string) restCall {
			return func(ctx context.Context, c *pikvm.Client) error {
				return c.MSD.SetParams(ctx, &pikvm.MSDParams{Image: &image})
			}
		},
	}
	var all []bound
	for field, method := range methods {
		for name, image := range map[string]string{
			"plain": "a.iso", "directory": "sub/a.iso", "slashes": "//a//", "blank within": "a b", "dot within": "a.b",
			"255 bytes": strings.Repeat("a", 255), "unprintable": "a\x01b", "lost+found in a name": "lost+found2",
			"several parts of 255 bytes": strings.Repeat("a", 255) + "/" + strings.Repeat("b", 255),
		} {
			all = append(all, bound{field + " " + name, "", method(image)})
		}
		for name, image := range map[string]string{
			"slash only": "/", "blank": " ", "blank part": "a/ /b", "zero byte": "a\x00b", "dot at the begin": ".a",
			"dot after a blank": " .a", "dots": "a/../b", "lost+found": "lost+found", "lost+found part": "a/lost+found/b",
			"256 bytes": strings.Repeat("a", 256), "no UTF-8": "a\xff",
		} {
			all = append(all, bound{field + " " + name, field, method(image)})
		}
	}
	all = append(all, bound{"image empty", "image", methods["image"]("")}, bound{"Image none", "", methods["Image"]("")},
		bound{"Image URL", "", methods["Image"]("nbd://h/x")}, bound{"Image URL with a blank", "", methods["Image"]("nbd://h/x y")})
	mount := func(ctx context.Context, c *pikvm.Client) error { return c.MSD.Mount(ctx, ".a", nil) }
	download := func(ctx context.Context, c *pikvm.Client) error {
		_, err := c.MSD.Download(ctx, ".a", io.Discard, nil)
		return err
	}
	insert := func(ctx context.Context, c *pikvm.Client) error { return c.Redfish.InsertMedia(ctx, ".a", false) }
	return append(all, bound{"mount", "image", mount}, bound{"download", "image", download}, bound{"insert", "image", insert})
}

func msdBounds() []bound {
	upload := func(image string, from io.Reader, size int64, opts *pikvm.UploadOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.MSD.Upload(ctx, image, from, size, opts)
			return err
		}
	}
	fetch := func(url string, opts *pikvm.FetchOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.MSD.Fetch(ctx, url, opts)
			return err
		}
	}
	download := func(opts *pikvm.DownloadOptions, to io.Writer) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.MSD.Download(ctx, "a", to, opts)
			return err
		}
	}
	mount := func(opts *pikvm.MountOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.MSD.Mount(ctx, "a", opts) }
	}
	extra := func(name string, values ...string) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			return c.MSD.SetParams(ctx, &pikvm.MSDParams{Extra: map[string][]string{name: values}})
		}
	}
	const ok = "https://mirror.example.com/a.iso"
	return []bound{
		{"upload", "", upload("a", strings.NewReader("x"), 1, nil)},
		{"upload of nothing", "size", upload("a", strings.NewReader(""), 0, nil)},
		{"upload of unknown size", "size", upload("a", strings.NewReader("x"), -1, nil)},
		{"upload over what the source has", "size", upload("a", bytes.NewReader([]byte("x")), 2, nil)},
		{"upload under what the source has", "size", upload("a", bytes.NewBufferString("xy"), 1, nil)},
		{"upload without a source", "from", upload("a", nil, 1, nil)},
		{"upload without a name", "image", upload("", strings.NewReader("x"), 1, nil)},
		{
			"replace without the check", "DisableCheck",
			upload("a", strings.NewReader("x"), 1, &pikvm.UploadOptions{Replace: true, DisableCheck: true}),
		},
		{"fetch https", "", fetch(ok, nil)},
		{"fetch http", "", fetch("http://[::1]/a.iso", nil)},
		{"fetch ftp", "address", fetch("ftp://mirror.example.com/a.iso", nil)},
		{"fetch upper case", "address", fetch("HTTP://mirror.example.com/a.iso", nil)},
		{"fetch no host", "address", fetch("http:///a.iso", nil)},
		{"fetch blank", "address", fetch("http://mirror.example.com/a b", nil)},
		{"fetch 100ms", "", fetch(ok, &pikvm.FetchOptions{ConnectTimeout: 100 * time.Millisecond})},
		{"fetch 99ms", "ConnectTimeout", fetch(ok, &pikvm.FetchOptions{ConnectTimeout: 99 * time.Millisecond})},
		{"fetch negative", "ConnectTimeout", fetch(ok, &pikvm.FetchOptions{ConnectTimeout: -1})},
		{"fetch name", "Image", fetch(ok, &pikvm.FetchOptions{Image: "../a"})},
		{"fetch directory", "Prefix", fetch(ok, &pikvm.FetchOptions{Prefix: "../a"})},
		{"fetch main directory", "", fetch(ok, &pikvm.FetchOptions{Prefix: "/"})},
		{"fetch replace", "Replace", fetch(ok, &pikvm.FetchOptions{Replace: true})},
		{"download zstd", "", download(&pikvm.DownloadOptions{Compress: pikvm.CompressZstd}, io.Discard)},
		{"download gzip", "Compress", download(&pikvm.DownloadOptions{Compress: "gzip"}, io.Discard)},
		{"download to nothing", "to", download(nil, nil)},
		{"mount", "", mount(&pikvm.MountOptions{CDROM: true})},
		{"mount a writable CD-ROM", "Writable", mount(&pikvm.MountOptions{CDROM: true, Writable: true})},
		{"mount with a negative wait", "BusyWait", mount(&pikvm.MountOptions{BusyWait: -1})},
		{"eject with a negative wait", "BusyWait", func(ctx context.Context, c *pikvm.Client) error {
			return c.MSD.Eject(ctx, &pikvm.EjectOptions{BusyWait: -1})
		}},
		{"extra", "", extra("user", "x")},
		{"extra that has a field", "Extra", extra("cdrom", "1")},
		{"extra repeated", "Extra", extra("user", "x", "y")},
	}
}

func gpioBounds() []bound {
	set := func(channel string, opts *pikvm.GPIOOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.GPIO.Switch(ctx, channel, true, opts) }
	}
	pulse := func(channel string, opts *pikvm.PulseOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.GPIO.Pulse(ctx, channel, opts) }
	}
	return []bound{
		{"channel", "", set("_a-B.9", nil)},
		{"channel of 255", "", set(strings.Repeat("a", 255), nil)},
		{"channel of 256", "channel", set(strings.Repeat("a", 256), nil)},
		{"channel empty", "channel", set("", nil)},
		{"channel digit", "channel", set("1a", nil)},
		{"channel blank", "channel", set("a b", nil)},
		{"channel newline", "channel", set("a\n", nil)},
		{"channel to pulse", "channel", pulse("1a", nil)},
		{"wait", "BusyWait", set("a", &pikvm.GPIOOptions{BusyWait: -1})},
		{"pulse 1µs", "", pulse("a", &pikvm.PulseOptions{Length: time.Microsecond})},
		{"pulse 1ns", "Length", pulse("a", &pikvm.PulseOptions{Length: 1})},
		{"pulse negative", "Length", pulse("a", &pikvm.PulseOptions{Length: -time.Microsecond})},
		{"pulse of 16 characters", "", pulse("a", &pikvm.PulseOptions{Length: 123456789*time.Second + 123456*time.Microsecond})},
		{"pulse of 17 characters", "Length", pulse("a", &pikvm.PulseOptions{Length: 1234567890*time.Second + 123456*time.Microsecond})},
		{"pulse wait", "BusyWait", pulse("a", &pikvm.PulseOptions{BusyWait: -1})},
	}
}

func switchBounds() []bound {
	port := func(methods string, port int) []bound {
		field := methods
		call := func(f func(context.Context, *pikvm.Client) error) restCall { return f }
		return []bound{
			{"active " + field, field, call(func(ctx context.Context, c *pikvm.Client) error { return c.Switch.SetActive(ctx, port) })},
			{"params " + field, field, call(func(ctx context.Context, c *pikvm.Client) error { return c.Switch.SetPortParams(ctx, port, nil) })},
			{"power " + field, field, call(func(ctx context.Context, c *pikvm.Client) error { return c.Switch.Power(ctx, port, pikvm.PowerOn) })},
			{"click " + field, field, call(func(ctx context.Context, c *pikvm.Client) error { return c.Switch.Click(ctx, port, pikvm.ButtonReset) })},
		}
	}
	beacon := func(b pikvm.SwitchBeacon) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.Switch.SetBeacon(ctx, b, true) }
	}
	params := func(p pikvm.SwitchPortParams) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.Switch.SetPortParams(ctx, 0, &p) }
	}
	reset := func(unit int) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.Switch.Reset(ctx, unit, true) }
	}
	color := func(role pikvm.SwitchColorRole, blink time.Duration) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			return c.Switch.SetColors(ctx, map[pikvm.SwitchColorRole]pikvm.SwitchColor{role: {Blink: blink}})
		}
	}
	create := func(name, data string) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Switch.CreateEDID(ctx, name, data)
			return err
		}
	}
	change := func(id string, name, data *string) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			return c.Switch.ChangeEDID(ctx, id, &pikvm.EDIDParams{Name: name, Data: data})
		}
	}
	text := func(s string) *string { return &s }
	delay := func(d time.Duration) *time.Duration { return &d }
	short := strings.Repeat("0A", 128)
	upper := strings.ToUpper(edidUUID)
	all := []bound{
		{"port 0", "", func(ctx context.Context, c *pikvm.Client) error { return c.Switch.SetActive(ctx, 0) }},
		{"port 19", "", func(ctx context.Context, c *pikvm.Client) error {
			return c.Switch.SetActive(ctx, pikvm.SwitchPortIndex(5, 4))
		}},
		{"port beacon", "", beacon(pikvm.PortBeacon(19))},
		{"port beacon 20", "beacon", beacon(pikvm.PortBeacon(20))},
		{"uplink beacon", "", beacon(pikvm.UplinkBeacon(4))},
		{"uplink beacon 5", "beacon", beacon(pikvm.UplinkBeacon(5))},
		{"downlink beacon", "", beacon(pikvm.DownlinkBeacon(0))},
		{"downlink beacon -1", "beacon", beacon(pikvm.DownlinkBeacon(-1))},
		{"no beacon", "beacon", beacon(pikvm.SwitchBeacon{})},
		{"EDID of a port", "", params(pikvm.SwitchPortParams{EDID: &upper})},
		{"default EDID of a port", "", params(pikvm.SwitchPortParams{EDID: text(pikvm.DefaultEDID)})},
		{"bad EDID of a port", "EDID", params(pikvm.SwitchPortParams{EDID: text(edidUUID[1:])})},
		{"name of a port", "", params(pikvm.SwitchPortParams{Name: text(strings.Repeat("ü", 255))})},
		{"no name of a port", "", params(pikvm.SwitchPortParams{Name: text("")})},
		{"long name of a port", "Name", params(pikvm.SwitchPortParams{Name: text(strings.Repeat("ü", 256))})},
		{"odd name of a port", "Name", params(pikvm.SwitchPortParams{Name: text("a\tb")})},
		{"delay 0", "", params(pikvm.SwitchPortParams{PowerDelay: delay(0)})},
		{"delay 10s", "", params(pikvm.SwitchPortParams{PowerLongDelay: delay(10 * time.Second)})},
		{"delay over 10s", "ResetDelay", params(pikvm.SwitchPortParams{ResetDelay: delay(10*time.Second + time.Microsecond)})},
		{"delay negative", "PowerDelay", params(pikvm.SwitchPortParams{PowerDelay: delay(-1)})},
		{"unit 4", "", reset(4)},
		{"unit 5", "unit", reset(5)},
		{"unit -1", "unit", reset(-1)},
		{"blink", "", color(pikvm.ColorFlashing, 65535*time.Millisecond)},
		{"long blink", "Blink", color(pikvm.ColorFlashing, 65536*time.Millisecond)},
		{"fine blink", "Blink", color(pikvm.ColorFlashing, time.Microsecond)},
		{"role", "colors", color("pink", 0)},
		{"role to reset", "roles", func(ctx context.Context, c *pikvm.Client) error { return c.Switch.ResetColors(ctx, "pink") }},
		{"all roles to reset", "", func(ctx context.Context, c *pikvm.Client) error { return c.Switch.ResetColors(ctx) }},
		{"EDID", "", create("a", short+" \n")},
		{"long EDID", "", create("a", short+short)},
		{"EDID of 255 digits", "data", create("a", short[1:])},
		{"EDID of 257 digits", "data", create("a", short+"0")},
		{"EDID of no digits", "data", create("a", strings.Repeat("0G", 128))},
		{"EDID without a name", "name", create(" ", short)},
		{"EDID with a long name", "name", create(strings.Repeat("a", 256), short)},
		{"EDID id", "", change(upper, text("a"), &short)},
		{"EDID id default", "id", change(pikvm.DefaultEDID, nil, nil)},
		{"EDID new name", "Name", change(upper, text(""), nil)},
		{"EDID new data", "Data", change(upper, nil, text("00"))},
		{"EDID to remove", "id", func(ctx context.Context, c *pikvm.Client) error { return c.Switch.RemoveEDID(ctx, "default") }},
		{"action", "action", func(ctx context.Context, c *pikvm.Client) error { return c.Switch.Power(ctx, 0, "up") }},
		{"button", "button", func(ctx context.Context, c *pikvm.Client) error { return c.Switch.Click(ctx, 0, "x") }},
	}
	for _, index := range []int{-1, 20, pikvm.SwitchPortIndex(0, 1), pikvm.SwitchPortIndex(6, 1), pikvm.SwitchPortIndex(1, 5)} {
		all = append(all, port("port", index)...)
	}
	return all
}

func otherBounds() []bound {
	system := func(id string) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Redfish.System(ctx, id)
			return err
		}
	}
	update := func(id, settings string) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			return c.Redfish.UpdateSystem(ctx, id, json.RawMessage(settings))
		}
	}
	reset := func(id string, kind pikvm.ResetType) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.Redfish.Reset(ctx, id, kind) }
	}
	seek := func(d time.Duration) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			for _, err := range c.Log.Records(ctx, &pikvm.LogOptions{Seek: d}) {
				return err
			}
			return nil
		}
	}
	return []bound{
		{"system", "", system("0")},
		{"system of a port", "", system(pikvm.SwitchSystem(19))},
		{"system 1", "id", system("1")},
		{"system port", "id", system("SwitchPort")},
		{"system path", "id", system("0/..")},
		{"settings", "", update("0", `{"a":"`+strings.Repeat("x", 4096-8)+`"}`)},
		{"large settings", "settings", update("0", `{"a":"`+strings.Repeat("x", 4097-8)+`"}`)},
		{"settings no object", "settings", update("0", `[]`)},
		{"settings no JSON", "settings", update("0", `{`)},
		{"settings id", "id", update("", `{}`)},
		{"reset", "", reset("0", pikvm.ResetPushPowerButton)},
		{"reset lower case", "reset", reset("0", "on")},
		{"reset id", "id", reset("00", pikvm.ResetOn)},
		{"seek", "", seek(time.Second)},
		{"seek fine", "Seek", seek(time.Second - 1)},
		{"seek negative", "Seek", seek(-time.Second)},
	}
}
