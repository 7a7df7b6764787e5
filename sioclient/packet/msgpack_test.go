package packet_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Packets as npm's socket.io-msgpack-parser writes them, both ways.
func TestMsgpackPackets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pkt    packet.Packet
		values []any
		want   string
	}{
		{packet.Packet{Type: packet.Connect}, nil, "82a474797065 00 a36e7370 a12f"},
		{packet.Packet{Type: packet.Event, Name: "a", ID: 3, HasID: true}, []any{1}, "84a474797065 02 a36e7370 a12f a464617461 92a16101 a26964 03"},
		{packet.Packet{Type: packet.Connect, Namespace: "/a", Data: json.RawMessage(`{"t":"x"}`)}, nil, "83a474797065 00 a36e7370 a22f61 a464617461 81a174a178"},
		{packet.Packet{Type: packet.Disconnect, Namespace: "/a"}, nil, "82a474797065 01 a36e7370 a22f61"},
		{packet.Packet{Type: packet.Ack, HasID: true}, nil, "84a474797065 03 a36e7370 a12f a464617461 90 a26964 00"},
		{packet.Packet{Type: packet.ConnectError, Data: json.RawMessage(`"no"`)}, nil, "83a474797065 04 a36e7370 a12f a464617461 a26e6f"},
		{packet.Packet{Type: packet.Event, Name: "a"}, []any{[]byte{1, 2}}, "83a474797065 02 a36e7370 a12f a464617461 92a161c4020102"},
		{packet.Packet{Type: packet.Event, Name: "a"}, []any{true, false, nil, 1.5, "ü"}, "83a474797065 02 a36e7370 a12f a464617461 96a161c3c2c0cb3ff8000000000000a2c3bc"},
	} {
		want := strings.ReplaceAll(tt.want, " ", "")
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			e, err := packet.Msgpack.Encode(&tt.pkt, tt.values...)
			if err != nil {
				t.Fatal(err)
			}
			if e.Text != nil || len(e.Binary) != 1 {
				t.Fatalf("%q, %d messages", e.Text, len(e.Binary))
			}
			if diff := cmp.Diff(want, hex.EncodeToString(e.Binary[0])); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			msg, attachments, err := packet.Msgpack.Append([]byte("before"), &tt.pkt, tt.values...)
			if err != nil || string(msg) != "before"+string(e.Binary[0]) || attachments != nil || e.Size() != len(msg)-6 {
				t.Errorf("Append: %x, %v, %v", msg, attachments, err)
			}
			back := see(decoded(t, packet.Msgpack.NewDecoder(packet.Limits{FromServer: true}), e))
			tt.pkt.Args = newArgs(t, tt.values...)
			if tt.pkt.Namespace == "" {
				tt.pkt.Namespace = "/"
			}
			if diff := cmp.Diff(see(&tt.pkt), back); diff != "" {
				t.Errorf("decoded: -want +got\n%s", diff)
			}
		})
	}
}

// The sizes at which the form of a value changes.
func TestMsgpackForms(t *testing.T) {
	t.Parallel()
	numbers := []string{
		"0", "127", "128", "255", "256", "65535", "65536", "4294967295", "4294967296", "18446744073709551615",
		"-1", "-32", "-33", "-128", "-129", "-32768", "-32769", "-2147483648", "-2147483649", "-9223372036854775808",
		"0.5", "-2.25", "1e+21", "18446744073709552000", "-9223372036854775809",
	}
	values := []any{}
	want := []string{}
	for _, n := range numbers {
		values = append(values, json.RawMessage(n))
		switch n {
		case "18446744073709552000":
			n = "1.8446744073709552e+19"
		case "-9223372036854775809":
			n = "-9.223372036854776e+18"
		}
		want = append(want, n)
	}
	for _, size := range []int{0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536} {
		text := strings.Repeat("x", size)
		values = append(values, text, []byte(text))
		want = append(want, `"`+text+`"`, text)
		list, object := make([]any, size), make(map[string]any, size)
		for i := range list {
			list[i] = i
			object[fmt.Sprint(i)] = i
		}
		values = append(values, list, object)
		want = append(want, string(mustJSON(list)), string(mustJSON(object)))
	}
	e, err := packet.Msgpack.Encode(&packet.Packet{Type: packet.Event, Name: "x"}, values...)
	if err != nil {
		t.Fatal(err)
	}
	pkt := decoded(t, packet.Msgpack.NewDecoder(packet.Limits{}), e)
	for i, want := range want {
		got := string(pkt.Args.Raw(i))
		if b, ok := pkt.Args.Bytes(i); ok {
			got = string(b)
		}
		if got != want {
			t.Errorf("argument %d: %.100s, want %.100s", i, got, want)
		}
	}
	if got, err := packet.NewArgs(pkt.Args); err != nil || got.Len() != len(values) {
		t.Errorf("%d arguments, %v", got.Len(), err)
	}
}

// What other encoders write.
func TestMsgpackOfOthers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, msg string
		detail    string
		want      seen
	}{
		{name: "python-socketio: nil for what is absent", msg: "84a474797065 01 a36e7370 c0 a464617461 c0 a26964 c0", want: seen{Type: "DISCONNECT", Namespace: "/"}},
		{name: "JavaScript: other keys", msg: "83a474797065 00 a36e7370 a12f a76f7074696f6e73 81a8636f6d7072657373 c3", want: seen{Type: "CONNECT", Namespace: "/"}},
		{name: "other keys with binary", msg: "84a474797065 02 a464617461 92a161c40141 a178 c40142 a36e7370 a12f", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`{"_placeholder":true,"num":0}`}, Attachments: []string{"A"}}},
		{name: "undefined", msg: "82a474797065 02 a464617461 92a161d40000", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{"null"}}},
		{name: "JavaScript: data that is undefined", msg: "83a474797065 00 a36e7370 a12f a464617461 d40000", want: seen{Type: "CONNECT", Namespace: "/"}},
		{name: "JavaScript: an id that is undefined", msg: "84a474797065 02 a36e7370 a12f a464617461 91a161 a26964 d40000", want: seen{Type: "EVENT", Namespace: "/", Name: "a"}},
		{name: "ArrayBuffer", msg: "82a474797065 02 a464617461 94a161c7010041c708004142434445464748c8000100 42", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":1}`, `{"_placeholder":true,"num":2}`}, Attachments: []string{"A", "ABCDEFGH", "B"}}},
		{name: "ArrayBuffer cut short", msg: "82a474797065 02 a464617461 92a161c7020041", detail: "packet ends too early"},
		{name: "Date", msg: "82a474797065 02 a464617461 92a161d700 0000019aa7b18d55", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`"2025-11-21T18:33:42.485Z"`}}},
		{name: "Date out of range", msg: "82a474797065 02 a464617461 92a161d700 7fffffffffffffff", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`null`}}},
		{name: "timestamp of 32 bits", msg: "82a474797065 02 a464617461 92a161d6ff 00000001", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`"1970-01-01T00:00:01.000Z"`}}},
		{name: "timestamp of 64 bits", msg: "82a474797065 02 a464617461 92a161d7ff 0000000400000002", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`"1970-01-01T00:00:02.000000001Z"`}}},
		{name: "timestamp of 96 bits", msg: "82a474797065 02 a464617461 92a161c70cff 00000001 ffffffffffffffff", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`"1969-12-31T23:59:59.000000001Z"`}}},
		{name: "unknown extension", msg: "82a474797065 02 a464617461 92a161d42a41", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`[42,{"_placeholder":true,"num":0}]`}, Attachments: []string{"A"}}},
		{name: "unknown extension with a size", msg: "82a474797065 02 a464617461 92a161c800030441 4243", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`[4,{"_placeholder":true,"num":0}]`}, Attachments: []string{"ABC"}}},
		{name: "float of 32 bits", msg: "82a474797065 02 a464617461 92a161ca3fc00000", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`1.5`}}},
		{name: "NaN and infinite", msg: "82a474797065 02 a464617461 94a161ca7fc00000cb7ff0000000000000cbfff0000000000000", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`null`, `null`, `null`}}},
		{name: "keys that are integers", msg: "82a474797065 02 a464617461 92a161 82 01c2 ffc3", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`{"1":false,"-1":true}`}}},
		{name: "map that looks like a placeholder", msg: "82a474797065 02 a464617461 93a161 82 ac5f706c616365686f6c646572c3 a36e756d00 c40141", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":0}`}, Attachments: []string{"A"}}},
		{name: "id as a double", msg: "83a474797065 03 a464617461 90 a26964 cb4020000000000000", want: seen{Type: "ACK", Namespace: "/", ID: 8, HasID: true}},
		{name: "id as a signed integer", msg: "83a474797065 03 a464617461 90 a26964 d3 0000000000000009", want: seen{Type: "ACK", Namespace: "/", ID: 9, HasID: true}},
		{name: "largest id", msg: "83a474797065 03 a464617461 90 a26964 cfffffffffffffffff", want: seen{Type: "ACK", Namespace: "/", ID: math.MaxUint64, HasID: true}},
		{name: "binary in CONNECT", msg: "82a474797065 00 a464617461 81a16bc40178", want: seen{Type: "CONNECT", Namespace: "/", Data: `{"k":"eA=="}`}},
		{name: "number as the name", msg: "82a474797065 02 a464617461 9101", want: seen{Type: "EVENT", Namespace: "/", Name: "1"}},
		{name: "map of 16 and 32 bits", msg: "de0002a474797065 02 a464617461 92a161 df00000001a16bc0", want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{`{"k":null}`}}},
		{name: "data twice", msg: "83a474797065 02 a464617461 92a161c40178 a464617461 91a162", want: seen{Type: "EVENT", Namespace: "/", Name: "b"}},

		{name: "nothing", msg: "", detail: "packet ends too early"},
		{name: "not a map", msg: "01", detail: "packet is not a map"},
		{name: "no type", msg: "81a36e7370a12f", detail: "no packet type"},
		{name: "type 5", msg: "82a47479706505a36e7370a12f", detail: "unknown packet type"},
		{name: "type is a string", msg: "81a474797065a130", detail: "unknown packet type"},
		{name: "type is negative", msg: "81a474797065ff", detail: "unknown packet type"},
		{name: "type is a fraction", msg: "81a474797065cb3ff8000000000000", detail: "unknown packet type"},
		{name: "namespace is a number", msg: "82a47479706500a36e737001", detail: "invalid namespace"},
		{name: "namespace without a slash", msg: "82a47479706500a36e7370a161", detail: "invalid namespace"},
		{name: "id is negative", msg: "82a47479706503a26964ff", detail: "id out of range"},
		{name: "id is a string", msg: "82a47479706503a26964a131", detail: "id out of range"},
		{name: "id is a fraction", msg: "82a47479706503a26964cb3fe0000000000000", detail: "id out of range"},
		{name: "id ends early", msg: "82a47479706503a26964cf00", detail: "id out of range"},
		{name: "event without data", msg: "81a47479706502", detail: "invalid payload"},
		{name: "event of a map", msg: "82a47479706502a46461746180", detail: "invalid payload"},
		{name: "event of nothing", msg: "82a47479706502a46461746190", detail: "invalid payload"},
		{name: "event named nil", msg: "82a47479706502a46461746191c0", detail: "invalid payload"},
		{name: "event named by binary", msg: "82a47479706502a46461746191c40161", detail: "invalid payload"},
		{name: "reserved event", msg: "82a47479706502a46461746191a7636f6e6e656374", detail: "invalid payload"},
		{name: "CONNECT with an array", msg: "82a47479706500a46461746190", detail: "invalid payload"},
		{name: "DISCONNECT with a map", msg: "82a47479706501a46461746180", detail: "invalid payload"},
		{name: "CONNECT_ERROR from a client", msg: "82a47479706504a46461746180", detail: "CONNECT_ERROR from a client"},
		{name: "string ends early", msg: "82a47479706502a46461746191a561", detail: "packet ends too early"},
		{name: "array ends early", msg: "82a47479706502a46461746192a161", detail: "packet ends too early"},
		{name: "map of 4 billion", msg: "dfffffffffa47479706500", detail: "packet ends too early"},
		{name: "array of 4 billion in an argument", msg: "82a47479706502a46461746192a161ddffffffff", detail: "packet ends too early"},
		{name: "binary of 4 billion", msg: "82a47479706502a46461746192a161c6ffffffff", detail: "packet ends too early"},
		{name: "string of 4 billion", msg: "82a47479706502a46461746192a161dbffffffff", detail: "packet ends too early"},
		{name: "extension of 4 billion", msg: "82a47479706502a46461746192a161c9ffffffff01", detail: "packet ends too early"},
		{name: "byte that is no value", msg: "82a47479706502a46461746192a161c1", detail: "invalid payload"},
		{name: "key that is an array", msg: "82a47479706502a46461746192a161 81 9000", detail: "nested too deeply"},
		{name: "key that is nil", msg: "82a47479706502a46461746192a161 81 c000", detail: "key of a map is not a string"},
		{name: "key that is binary", msg: "82a47479706502a46461746192a161 81 c4016100", detail: "key of a map is not a string"},
		{name: "key of the packet that is a number", msg: "8101", detail: "string expected"},
		{name: "more behind it", msg: "81a4747970650000", detail: "data behind the packet"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			msg, err := hex.DecodeString(strings.ReplaceAll(tt.msg, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			d := packet.Msgpack.NewDecoder(packet.Limits{})
			pkt, err := d.Binary(msg)
			if tt.detail != "" {
				expectRefused(t, err, tt.detail)
				if pkt, err := d.Binary([]byte("\x81\xa4type\x00")); err != nil || pkt.Type != packet.Connect {
					t.Errorf("then: %v, %v", pkt, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, see(pkt)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// A map that only looks like a placeholder stays data, and an argument beside it that is binary stays binary.
func TestMsgpackLookalike(t *testing.T) {
	t.Parallel()
	msg := []byte("\x82\xa4type\x02\xa4data\x93\xa1a\x82\xac_placeholder\xc3\xa3num\x00\xc4\x01A")
	pkt, err := packet.Msgpack.NewDecoder(packet.Limits{}).Binary(msg)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	var b []byte
	if err := pkt.Args.DecodeAll(&m, &b); err != nil || string(b) != "A" || m["_placeholder"] != true {
		t.Errorf("%v, %q, %v", m, b, err)
	}
	if e, err := packet.Default.Encode(pkt); err == nil {
		t.Errorf("sent on as %s", e.Text)
	}
}

func TestMsgpackInfinite(t *testing.T) {
	t.Parallel()
	e, err := packet.Msgpack.Encode(&packet.Packet{Type: packet.Event, Name: "x"}, json.RawMessage(`[1e999,-1e999]`))
	if err != nil || !strings.Contains(string(e.Binary[0]), "\xcb\x7f\xf0\x00") || !strings.Contains(string(e.Binary[0]), "\xcb\xff\xf0\x00") {
		t.Errorf("%x, %v", e.Binary, err)
	}
}
