package packet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// The packets that the protocol's own text has for examples, and others, both ways.
func TestPackets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		parser packet.Parser
		pkt    packet.Packet
		values []any
		want   string
	}{
		{pkt: packet.Packet{Type: packet.Connect}, want: `40`},
		{pkt: packet.Packet{Type: packet.Connect, Namespace: "/"}, want: `40`},
		{pkt: packet.Packet{Type: packet.Connect, Namespace: "/custom"}, want: `40/custom,`},
		{pkt: packet.Packet{Type: packet.Connect, Namespace: "/admin", Data: json.RawMessage(`{"token":"123"}`)}, want: `40/admin,{"token":"123"}`},
		{pkt: packet.Packet{Type: packet.Connect, Data: json.RawMessage(`{"sid":"oSO0OpakMV_3jnilAAAA"}`)}, want: `40{"sid":"oSO0OpakMV_3jnilAAAA"}`},
		{pkt: packet.Packet{Type: packet.ConnectError, Data: json.RawMessage(`{"message":"Not authorized"}`)}, want: `44{"message":"Not authorized"}`},
		{pkt: packet.Packet{Type: packet.ConnectError, Namespace: "/x", Data: json.RawMessage(`"no"`)}, want: `44/x,"no"`},
		{pkt: packet.Packet{Type: packet.Disconnect}, want: `41`},
		{pkt: packet.Packet{Type: packet.Disconnect, Namespace: "/admin"}, want: `41/admin,`},
		{pkt: packet.Packet{Type: packet.Event, Name: "foo"}, want: `42["foo"]`},
		{pkt: packet.Packet{Type: packet.Event, Name: ""}, want: `42[""]`},
		{pkt: packet.Packet{Type: packet.Event, Name: "a,\"b\"\\\n\x01<ü&\u2028"}, want: "42[\"a,\\\"b\\\"\\\\\\n\\u0001<ü&\u2028\"]"},
		{pkt: packet.Packet{Type: packet.Event, Namespace: "/admin", Name: "bar"}, want: `42/admin,["bar"]`},
		{pkt: packet.Packet{Type: packet.Event, ID: 12, HasID: true, Name: "foo"}, want: `4212["foo"]`},
		{pkt: packet.Packet{Type: packet.Event, HasID: true, Name: "foo"}, want: `420["foo"]`},
		{pkt: packet.Packet{Type: packet.Event, ID: 1<<64 - 1, HasID: true, Name: "foo"}, want: `4218446744073709551615["foo"]`},
		{pkt: packet.Packet{Type: packet.Ack, Namespace: "/admin", ID: 13, HasID: true}, values: []any{"bar"}, want: `43/admin,13["bar"]`},
		{pkt: packet.Packet{Type: packet.Ack, ID: 13, HasID: true}, want: `4313[]`},
		{pkt: packet.Packet{Type: packet.Event, Name: "x"}, values: []any{nil, 1, "a<b", 1.5, true}, want: `42["x",null,1,"a<b",1.5,true]`},
		{
			pkt: packet.Packet{Type: packet.Event, Name: "baz"}, values: []any{[]byte{1}},
			want: `451-["baz",{"_placeholder":true,"num":0}]`,
		},
		{
			pkt: packet.Packet{Type: packet.Event, Namespace: "/admin", Name: "baz"}, values: []any{[]byte{1}, []byte{}},
			want: `452-/admin,["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`,
		},
		{
			pkt: packet.Packet{Type: packet.Ack, ID: 15, HasID: true}, values: []any{"bar", []byte{1}},
			want: `461-15["bar",{"_placeholder":true,"num":0}]`,
		},
		{parser: packet.Revision4, pkt: packet.Packet{Type: packet.Connect, Namespace: "/custom", Query: "token=1"}, want: `40/custom?token=1,`},
		{parser: packet.Revision4, pkt: packet.Packet{Type: packet.Connect}, want: `40`},
		{parser: packet.Revision4, pkt: packet.Packet{Type: packet.ConnectError, Namespace: "/custom", Data: json.RawMessage(`[1,{"c":1}]`)}, want: `44/custom,[1,{"c":1}]`},
		{parser: packet.Revision4, pkt: packet.Packet{Type: packet.Event, Namespace: "/a", Name: "foo", ID: 3, HasID: true}, values: []any{[]byte("x")}, want: `451-/a,3["foo",{"_placeholder":true,"num":0}]`},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			e, err := tt.parser.Encode(&tt.pkt, tt.values...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(e.Text)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			appended, attachments, err := tt.parser.Append([]byte("before"), &tt.pkt, tt.values...)
			if err != nil || string(appended) != "before"+tt.want || len(attachments) != len(e.Binary) {
				t.Errorf("Append: %q, %q, %v", appended, attachments, err)
			}

			back := see(decoded(t, tt.parser.NewDecoder(packet.Limits{FromServer: true}), e))
			tt.pkt.Args, err = packet.NewArgs(tt.values...)
			if err != nil {
				t.Fatal(err)
			}
			if tt.pkt.Namespace == "" {
				tt.pkt.Namespace = "/"
			}
			if diff := cmp.Diff(see(&tt.pkt), back); diff != "" {
				t.Errorf("decoded: -want +got\n%s", diff)
			}
		})
	}
}

// Packets of the caller that would break the protocol are refused before anything is sent.
func TestUnencodable(t *testing.T) {
	t.Parallel()
	event := packet.Packet{Type: packet.Event, Name: "x"}
	cycle := map[string]any{}
	cycle["self"] = cycle
	args, err := packet.NewArgs(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		parser packet.Parser
		pkt    packet.Packet
		values []any
	}{
		{"unknown parser", 9, event, nil},
		{"unknown type", packet.Default, packet.Packet{Type: 5}, nil},
		{"namespace without a slash", packet.Default, packet.Packet{Namespace: "admin"}, nil},
		{"namespace with a comma", packet.Default, packet.Packet{Namespace: "/a,b"}, nil},
		{"namespace with a comma in msgpack", packet.Msgpack, packet.Packet{Namespace: "/a,b"}, nil},
		{"namespace with a question mark in revision 4", packet.Revision4, packet.Packet{Namespace: "/a?b=c"}, nil},
		{"query with a comma", packet.Revision4, packet.Packet{Namespace: "/a", Query: "b=c,d"}, nil},
		{"query in revision 5", packet.Default, packet.Packet{Namespace: "/a", Query: "b=c"}, nil},
		{"query of an event", packet.Revision4, packet.Packet{Type: packet.Event, Name: "x", Query: "b=c"}, nil},
		{"acknowledgement without an id", packet.Default, packet.Packet{Type: packet.Ack}, nil},
		{"arguments of CONNECT", packet.Default, packet.Packet{Type: packet.Connect}, []any{1}},
		{"Args of DISCONNECT", packet.Default, packet.Packet{Type: packet.Disconnect, Args: args}, nil},
		{"data of an event", packet.Default, packet.Packet{Type: packet.Event, Name: "x", Data: json.RawMessage(`{}`)}, nil},
		{"data of DISCONNECT", packet.Default, packet.Packet{Type: packet.Disconnect, Data: json.RawMessage(`{}`)}, nil},
		{"array for CONNECT", packet.Default, packet.Packet{Data: json.RawMessage(`[]`)}, nil},
		{"no JSON for CONNECT", packet.Default, packet.Packet{Data: json.RawMessage(`{`)}, nil},
		{"empty data", packet.Default, packet.Packet{Data: json.RawMessage{}}, nil},
		{"number for CONNECT_ERROR", packet.Default, packet.Packet{Type: packet.ConnectError, Data: json.RawMessage(`1`)}, nil},
		{"RawMessage that is no JSON", packet.Default, event, []any{json.RawMessage(`{`)}},
		{"RawMessage of two values", packet.Default, event, []any{json.RawMessage(`1,2`)}},
		{"RawMessage that is empty", packet.Default, event, []any{json.RawMessage{}}},
		{"RawMessage in a struct", packet.Default, event, []any{struct{ A json.RawMessage }{json.RawMessage(`{`)}}},
		{"channel", packet.Default, event, []any{make(chan int)}},
		{"function in a map", packet.Default, event, []any{map[string]any{"a": func() {}}}},
		{"NaN", packet.Default, event, []any{nan()}},
		{"map with keys that JSON has not", packet.Default, event, []any{map[float64]any{1: 1}}},
		{"value that contains itself", packet.Default, event, []any{cycle}},
		{"value that contains itself in msgpack", packet.Msgpack, event, []any{cycle}},
		{"method that fails", packet.Default, event, []any{failing{}}},
		{"method that fails beside binary", packet.Default, event, []any{[]any{failing{}, []byte("x")}}},
		{"key that fails", packet.Default, event, []any{map[failing]any{{}: 1}}},
		{"object that looks like a placeholder", packet.Default, event, []any{[]byte("x"), map[string]any{"_placeholder": true, "num": 0}}},
		{"object that looks like a bad placeholder", packet.Default, event, []any{[]byte("x"), map[string]any{"_placeholder": true, "num": 9}}},
		{"raw JSON that looks like a placeholder", packet.Default, event, []any{json.RawMessage(`{"\u005fplaceholder":true,"num":0}`), []byte("x")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := tt.parser.Encode(&tt.pkt, tt.values...)
			expectUnencodable(t, err)
			if e.Text != nil || e.Binary != nil {
				t.Errorf("and yet %q, %q", e.Text, e.Binary)
			}
			if msg, bin, err := tt.parser.Append([]byte("before"), &tt.pkt, tt.values...); err == nil || string(msg) != "before" || bin != nil {
				t.Errorf("Append: %q, %q, %v", msg, bin, err)
			}
		})
	}
}

// After an error nothing of it is in the next packet.
func TestEncoderForgets(t *testing.T) {
	t.Parallel()
	for range 100 {
		_, _ = packet.Default.Encode(&packet.Packet{Type: packet.Event, Name: "x"}, []byte("x"), "y", make(chan int))
		e, err := packet.Default.Encode(&packet.Packet{Type: packet.Event, Name: "z"}, 1)
		if err != nil || string(e.Text) != `42["z",1]` || e.Binary != nil {
			t.Fatalf("%q, %q, %v", e.Text, e.Binary, err)
		}
	}
}

func TestReservedNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		for _, p := range []packet.Parser{packet.Default, packet.Revision4, packet.Msgpack} {
			_, err := p.Encode(&packet.Packet{Type: packet.Event, Name: name})
			if e, ok := errors.AsType[*sioerr.InvalidError](err); !ok || !errors.Is(err, sioerr.ErrReserved) || !errors.Is(err, errkit.NotSent) {
				t.Errorf("%s with %v: %v, %v", name, p, e, err)
			}
		}
		if !packet.Reserved(name) {
			t.Errorf("%s is not reserved", name)
		}
	}
	for _, name := range []string{"", "connection", "error", "message", "Connect"} {
		if packet.Reserved(name) {
			t.Errorf("%q is reserved", name)
		}
	}
}

// An encoded packet shares nothing with the one after it.
func TestEncodedIsImmutable(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000) // given away, not copied
	var all []packet.Encoded
	for i := range 50 {
		e, err := packet.Default.Encode(&packet.Packet{Type: packet.Event, Name: "n"}, i, long[:i*2_000])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	for i, e := range all {
		if want := fmt.Sprintf(`42["n",%d,"%s"]`, i, long[:i*2_000]); string(e.Text) != want {
			t.Errorf("packet %d has changed", i)
		}
		if e.Size() != len(e.Text) {
			t.Errorf("size %d", e.Size())
		}
	}
}

// Names come as they are, also those that are not kept for the next packet.
func TestManyNames(t *testing.T) {
	t.Parallel()
	d := packet.Default.NewDecoder(packet.Limits{})
	for round := range 3 {
		for i := range 40 {
			name := fmt.Sprintf("%0*d", 1+i*3, i)
			pkt, err := d.Text([]byte(`2/` + name + `,["` + name + `",1]`))
			if err != nil || pkt.Name != name || pkt.Namespace != "/"+name || pkt.Args.Len() != 1 {
				t.Fatalf("round %d: %v, %v", round, pkt, err)
			}
		}
	}
}

// Revision 4 has the query with the namespace of a CONNECT, and any JSON in an error.
func TestRevision4(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		msg    string
		server bool
		want   seen
	}{
		{msg: `0/custom?token=1,`, want: seen{Type: "CONNECT", Namespace: "/custom", Query: "token=1"}},
		{msg: `0/custom?token=1`, want: seen{Type: "CONNECT", Namespace: "/custom", Query: "token=1"}},
		{msg: `0/custom?`, want: seen{Type: "CONNECT", Namespace: "/custom"}},
		{msg: `0/?a=b,`, want: seen{Type: "CONNECT", Namespace: "/", Query: "a=b"}},
		{msg: `0/custom?a=b?c,`, want: seen{Type: "CONNECT", Namespace: "/custom", Query: "a=b?c"}},
		{msg: `2/custom?a=b,["x"]`, want: seen{Type: "EVENT", Namespace: "/custom?a=b", Name: "x"}},
		{msg: `4/none,"Invalid namespace"`, server: true, want: seen{Type: "CONNECT_ERROR", Namespace: "/none", Data: `"Invalid namespace"`}},
		{msg: `4[{"c":1}]`, server: true, want: seen{Type: "CONNECT_ERROR", Namespace: "/", Data: `[{"c":1}]`}},
		{msg: "0/chat,[]\n", server: true, want: seen{Type: "CONNECT", Namespace: "/chat", Data: `[]`}}, // googollee/go-socket.io
		{msg: `4null`, server: true, want: seen{Type: "CONNECT_ERROR", Namespace: "/", Data: `null`}},
	} {
		t.Run(tt.msg, func(t *testing.T) {
			t.Parallel()
			pkt, err := packet.Revision4.NewDecoder(packet.Limits{FromServer: tt.server}).Text([]byte(tt.msg))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, see(pkt)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestMarshal(t *testing.T) {
	t.Parallel()
	raw, err := packet.Marshal(map[string]any{"a": "<&>", "b": []byte("x")})
	if err != nil || string(raw) != `{"a":"<&>","b":"eA=="}` {
		t.Errorf("%s, %v", raw, err)
	}
	_, err = packet.Marshal(make(chan int))
	expectUnencodable(t, err)
}

func TestStrings(t *testing.T) {
	t.Parallel()
	got := fmt.Sprint(packet.Connect, packet.Disconnect, packet.Event, packet.Ack, packet.ConnectError, packet.Type(9),
		packet.Default, packet.Revision4, packet.Msgpack, packet.Parser(9))
	if want := "CONNECT DISCONNECT EVENT ACK CONNECT_ERROR unknown default revision 4 msgpack unknown"; got != want {
		t.Error(got)
	}
}
