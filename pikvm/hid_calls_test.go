package pikvm_test

import (
	"context"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// hidCalls are the methods that make the recorded requests.
func hidCalls() map[string]restCall {
	yes, no := true, false
	usb, relative, ps2 := pikvm.MouseUSB, pikvm.MouseUSBRelative, pikvm.MousePS2
	state := func(ctx context.Context, c *pikvm.Client) error { _, err := c.HID.State(ctx); return err }
	idle := func(ctx context.Context, c *pikvm.Client) error { _, err := c.HID.Inactivity(ctx); return err }
	params := func(p *pikvm.HIDParams) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.HID.SetParams(ctx, p) }
	}
	printing := func(text string, o *pikvm.PrintOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.HID.Print(ctx, text, o) }
	}
	return map[string]restCall{
		"hid": state, "hid_jiggler_on": state, "hid_rel": state,
		"hid_inactivity": idle, "GET /api/hid/inactivity": idle,
		"hid_keymaps":            func(ctx context.Context, c *pikvm.Client) error { _, err := c.HID.Keymaps(ctx); return err },
		"hid_set_params":         params(&pikvm.HIDParams{Jiggler: &yes}),
		"hid_set_params_rel":     params(&pikvm.HIDParams{MouseOutput: &relative, Jiggler: &no}),
		"hid_set_params_abs":     params(&pikvm.HIDParams{MouseOutput: &usb}),
		"hid_set_params_unavail": params(&pikvm.HIDParams{MouseOutput: &ps2}),
		"hid_set_params_none":    params(nil),
		"hid_set_connected":      func(ctx context.Context, c *pikvm.Client) error { return c.HID.SetConnected(ctx, true) },
		"hid_reset":              func(ctx context.Context, c *pikvm.Client) error { return c.HID.Reset(ctx) },
		"hid_print":              printing("Hello\n", nil), "hid_print_empty": printing("", nil),
		"hid_print_badkeymap": printing("Hello", &pikvm.PrintOptions{Keymap: "zz"}),
		"hid_shortcut": func(ctx context.Context, c *pikvm.Client) error {
			return c.HID.Shortcut(ctx, pikvm.KeyControlLeft, pikvm.KeyAltLeft, pikvm.KeyDelete)
		},
		"hid_key":    func(ctx context.Context, c *pikvm.Client) error { return c.HID.Key(ctx, pikvm.KeyA, pikvm.Tap) },
		"hid_button": func(ctx context.Context, c *pikvm.Client) error { return c.HID.Button(ctx, pikvm.MouseLeft, pikvm.Tap) },
		"hid_wheel":  func(ctx context.Context, c *pikvm.Client) error { return c.HID.Wheel(ctx, 0, -5) },

		"POST /api/hid/set_params?mouse_output=usb_rel&jiggler=1": params(&pikvm.HIDParams{MouseOutput: &relative, Jiggler: &yes}),
		"POST /api/hid/set_params?mouse_output=usb&jiggler=0":     params(&pikvm.HIDParams{MouseOutput: &usb, Jiggler: &no}),
	}
}

// hidBounds are arguments just inside and just outside of what the device takes.
func hidBounds() []bound {
	key := func(k pikvm.Key, s pikvm.Stroke) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.HID.Key(ctx, k, s) }
	}
	button := func(b pikvm.MouseButton, s pikvm.Stroke) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.HID.Button(ctx, b, s) }
	}
	shortcut := func(keys ...pikvm.Key) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.HID.Shortcut(ctx, keys...) }
	}
	move := func(x, y int) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.HID.MoveTo(ctx, x, y) }
	}
	relative := func(x, y int) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.HID.MoveBy(ctx, x, y) }
	}
	wheel := func(x, y int) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.HID.Wheel(ctx, x, y) }
	}
	keyboard := func(o pikvm.KeyboardOutput) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			return c.HID.SetParams(ctx, &pikvm.HIDParams{KeyboardOutput: &o})
		}
	}
	mouse := func(o pikvm.MouseOutput) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			return c.HID.SetParams(ctx, &pikvm.HIDParams{MouseOutput: &o})
		}
	}
	printing := func(text string, o *pikvm.PrintOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error { return c.HID.Print(ctx, text, o) }
	}
	layout := func(name string) *pikvm.PrintOptions { return &pikvm.PrintOptions{Keymap: name} }
	delay := func(d time.Duration) *pikvm.PrintOptions { return &pikvm.PrintOptions{Delay: d} }
	return []bound{
		{"key", "", key(pikvm.KeyIntlBackslash, pikvm.Release)},
		{"key lower case", "key", key("keya", pikvm.Tap)},
		{"key empty", "key", key("", pikvm.Tap)},
		{"key letter", "key", key("a", pikvm.Tap)},
		{"key blank", "key", key("KeyA ", pikvm.Tap)},
		{"stroke", "stroke", key(pikvm.KeyA, pikvm.Release+1)},
		{"stroke negative", "stroke", key(pikvm.KeyA, -1)},
		{"button", "", button(pikvm.MouseDown, pikvm.Press)},
		{"button upper case", "button", button("LEFT", pikvm.Press)},
		{"button empty", "button", button("", pikvm.Tap)},
		{"button stroke", "stroke", button(pikvm.MouseLeft, 3)},
		{"shortcut of one", "", shortcut(pikvm.KeyF1)},
		{"shortcut of none", "keys", shortcut()},
		{"shortcut unknown", "keys", shortcut(pikvm.KeyF1, "Nope")},
		{"shortcut list in one", "keys", shortcut("KeyA,KeyB")},
		{"shortcut twice", "keys", shortcut(pikvm.KeyF1, pikvm.KeyF1)},
		{"move least", "", move(-32768, -32768)},
		{"move most", "", move(32767, 32767)},
		{"move x under", "x", move(-32769, 0)},
		{"move y over", "y", move(0, 32768)},
		{"relative least", "", relative(-127, -127)},
		{"relative most", "", relative(127, 127)},
		{"relative dx over", "dx", relative(128, 0)},
		{"relative dy under", "dy", relative(0, -128)},
		{"wheel most", "", wheel(127, -127)},
		{"wheel dx under", "dx", wheel(-128, 0)},
		{"wheel dy over", "dy", wheel(0, 128)},
		{"keyboard output", "", keyboard(pikvm.KeyboardPS2)},
		{"keyboard output of a mouse", "KeyboardOutput", keyboard("usb_rel")},
		{"keyboard output empty", "KeyboardOutput", keyboard("")},
		{"mouse output", "", mouse(pikvm.MouseUSBWin98)},
		{"mouse output unknown", "MouseOutput", mouse("serial")},
		{"print signs", "", printing("a\r\n\tß“”–", nil)},
		{"print over 4 KiB", "", printing(strings.Repeat("x", 10_000), nil)},
		{"print zero byte", "text", printing("a\x00", nil)},
		{"print escape", "text", printing("\x1b", nil)},
		{"print em dash", "text", printing("a\u2014b", nil)},
		{"print no UTF-8", "text", printing("a\xff", nil)},
		{"print layout", "", printing("a", layout("en-us-altgr-intl"))},
		{"print layout path", "Keymap", printing("a", layout("../x"))},
		{"print layout dots", "Keymap", printing("a", layout(".."))},
		{"print layout of 255", "", printing("a", layout(strings.Repeat("a", 255)))},
		{"print layout of 256", "Keymap", printing("a", layout(strings.Repeat("a", 256)))},
		{"print 1µs", "", printing("a", delay(time.Microsecond))},
		{"print 5s", "", printing("a", delay(5*time.Second))},
		{"print over 5s", "Delay", printing("a", delay(5*time.Second+time.Microsecond))},
		{"print 1ns", "Delay", printing("a", delay(1))},
		{"print negative", "Delay", printing("a", delay(-time.Microsecond))},
		{"slow", "", printing("a", &pikvm.PrintOptions{Slow: true})},
	}
}
