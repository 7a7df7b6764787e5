package pikvmtest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPyJSON(t *testing.T) {
	t.Parallel()
	raw := json.RawMessage(`{"b":[],"a":{},"f":10.0,"e":1e3,"s":"\u00fc\ud83d\ude00<&\u007f\u0001\n\"\\/","n":[null,true,[1]]}`)
	for _, tc := range []struct {
		name   string
		indent bool
		want   string
	}{
		{"compact", false, `{"a": {}, "b": [], "e": 1e3, "f": 10.0, "n": [null, true, [1]], "s": "\u00fc\ud83d\ude00<&\u007f\u0001\n\"\\/"}`},
		{"indented", true, `{
    "a": {},
    "b": [],
    "e": 1e3,
    "f": 10.0,
    "n": [
        null,
        true,
        [
            1
        ]
    ],
    "s": "\u00fc\ud83d\ude00<&\u007f\u0001\n\"\\/"
}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := pyJSON(raw, tc.indent)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, string(got)); d != "" {
				t.Errorf("text (-want +got):\n%s", d)
			}
		})
	}
	if _, err := pyJSON(func() {}, false); err == nil {
		t.Error("a function has JSON")
	}
}

func TestPyRepr(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":             `''`,
		"abc":          `'abc'`,
		"it's":         `"it's"`,
		`it's "x"`:     `'it\'s "x"'`,
		"a\\b\n\r\t":   `'a\\b\n\r\t'`,
		"\x00\x7f":     `'\x00\x7f'`,
		"\u00fc\u4e2d": `'ü中'`,
		"\u200b":       `'\u200b'`,
		"\U000e0001":   `'\U000e0001'`,
	} {
		if got := pyRepr(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// TestTOTPVectors checks the test vectors of RFC 6238, appendix B (SHA-1), cut to six digits.
func TestTOTPVectors(t *testing.T) {
	t.Parallel()
	secret, err := parseTOTPSecret("gezd gnbv GY3T QOJQ GEZD GNBV GY3T QOJQ")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037",
		20000000000: "353130",
	} {
		if got := totpCode(secret, time.Unix(at, 0)); got != want {
			t.Errorf("code at %d: %s, want %s", at, got, want)
		}
	}
}

func TestVersionOrder(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text         string
		major, minor int
		want         bool
	}{
		{"4.197", 4, 20, true}, {"4.20", 4, 197, false}, {"4.20", 4, 20, true}, {"3.333", 4, 0, false}, {"5.0", 4, 197, true},
	} {
		v, err := parseVersion(tc.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.atLeast(tc.major, tc.minor); got != tc.want {
			t.Errorf("%s at least %d.%d: %v", tc.text, tc.major, tc.minor, got)
		}
		if v.String() != tc.text {
			t.Errorf("%s became %s", tc.text, v)
		}
	}
	for _, text := range []string{"", "4", "4.", ".1", "4.1.2", "-4.1", "4.99999999999", "v4.1"} {
		if _, err := parseVersion(text); err == nil {
			t.Errorf("%q is a version", text)
		}
	}
}

// FuzzParseInbound shows that no message of a client upsets the decoder, and that what it takes is what the device takes:
// an object with a name and an object.
func FuzzParseInbound(f *testing.F) {
	for _, seed := range []string{
		`{"event_type": "ping", "event": {}}`, `{"event_type": "key", "event": {"key": "KeyA", "state": true}}`,
		`{"event_type": "mouse_move", "event": {"to": {"x": 0, "y": 0}}}`, `{"event": null}`, `[]`, ``, `nul`,
		"\x00", "\x01\x01KeyA", "\x05\x01\x00\xfb\x00\xfb", "\xff", strings.Repeat(`{"event":`, 50),
	} {
		f.Add(false, []byte(seed))
		f.Add(true, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, binary bool, data []byte) {
		msg, err := parseInbound(binary, data)
		switch {
		case err != nil:
			if msg.kind != "" || msg.event != nil || msg.data != nil {
				t.Errorf("error %v with %+v", err, msg)
			}
		case binary:
			if msg.opcode != data[0] || len(msg.data) != len(data)-1 {
				t.Errorf("%x became %+v", data, msg)
			}
		default:
			var plain struct {
				Kind  any `json:"event_type"`
				Event any `json:"event"`
			}
			if msg.event == nil || json.Unmarshal(data, &plain) != nil {
				t.Errorf("%q became %+v", data, msg)
			}
		}
	})
}

func FuzzPyJSON(f *testing.F) {
	f.Add([]byte(`{"a": [1, 2.50, "x\u0000"], "b": null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var want any
		if json.Unmarshal(data, &want) != nil {
			return
		}
		for _, indent := range []bool{false, true} {
			text, err := pyJSON(json.RawMessage(data), indent)
			if err != nil {
				t.Fatalf("%q: %v", data, err)
			}
			var got any
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatalf("%q became %q: %v", data, text, err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("value (-want +got):\n%s", d)
			}
		}
	})
}
