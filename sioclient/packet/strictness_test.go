package packet_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// What a server makes of odd packets from a client. Each is what remains after Engine.IO took its leading 4 off. Refusing
// closes the connection; whether a packet that is accepted fits the state of the connection is not decided here.
func TestStrictness(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, msg string
		detail    string // of the refusal; accepted if empty
		want      seen
	}{
		{name: "unknown type", msg: `abc`, detail: `unknown packet type "a"`},
		{name: "type 7", msg: `7["a"]`, detail: `unknown packet type "7"`},
		{name: "byte below the digits", msg: "\x00", detail: `unknown packet type "\x00"`},
		{name: "empty packet", msg: ``, detail: "empty packet"},
		{name: "space instead of a type", msg: ` `, detail: `unknown packet type " "`},
		{name: "CONNECT again, which is for the server to refuse", msg: `0`, want: seen{Type: "CONNECT", Namespace: "/"}},
		{name: "event without a payload", msg: `2`, detail: "invalid payload"},
		{name: "event with an id without a payload", msg: `212`, detail: "invalid payload"},
		{name: "event of an empty array", msg: `2[]`, detail: "invalid payload"},
		{name: "event of an object", msg: `2{"a":1}`, detail: "invalid payload"},
		{name: "event of a string", msg: `2"a"`, detail: "invalid payload"},
		{name: "event named null", msg: `2[null]`, detail: "invalid payload"},
		{name: "event named true", msg: `2[true]`, detail: "invalid payload"},
		{name: "event named by an object", msg: `2[{}]`, detail: "invalid payload"},
		{name: "bad JSON", msg: `2["a",]`, detail: "invalid payload"},
		{name: "bad JSON in an argument", msg: `2["a",{b:1}]`, detail: "invalid payload"},
		{name: "JSON cut off", msg: `2["a",{"b":1}`, detail: "invalid payload"},
		{name: "JSON and more", msg: `2["a"]]`, detail: "invalid payload"},
		{name: "number as the name", msg: `2[1]`, want: seen{Type: "EVENT", Namespace: "/", Name: "1"}},
		{name: "negative number as the name", msg: `2[-1.5,2]`, want: seen{Type: "EVENT", Namespace: "/", Name: "-1.5", Args: []string{"2"}}},
		{name: "reserved: connect", msg: `2["connect"]`, detail: "invalid payload"},
		{name: "reserved: connect_error", msg: `2["connect_error"]`, detail: "invalid payload"},
		{name: "reserved: disconnect", msg: `2["disconnect"]`, detail: "invalid payload"},
		{name: "reserved: disconnecting", msg: `2["disconnecting"]`, detail: "invalid payload"},
		{name: "reserved: newListener", msg: `2["newListener"]`, detail: "invalid payload"},
		{name: "reserved: removeListener", msg: `2["removeListener"]`, detail: "invalid payload"},
		{name: "reserved, with an escape", msg: `2["\u0064isconnect"]`, detail: "invalid payload"},
		{name: "reserved, binary", msg: `51-["disconnect",{"_placeholder":true,"num":0}]`, detail: "invalid payload"},
		{name: "connection is not reserved", msg: `2["connection"]`, want: seen{Type: "EVENT", Namespace: "/", Name: "connection"}},
		{name: "error is not reserved", msg: `2["error"]`, want: seen{Type: "EVENT", Namespace: "/", Name: "error"}},
		{name: "acknowledgement of nothing", msg: `3`, want: seen{Type: "ACK", Namespace: "/"}},
		{name: "acknowledgement without an id", msg: `3[]`, want: seen{Type: "ACK", Namespace: "/"}},
		{name: "acknowledgement of an object", msg: `31{}`, detail: "invalid payload"},
		{name: "CONNECT_ERROR from a client", msg: `4{}`, detail: "CONNECT_ERROR from a client"},
		{name: "DISCONNECT with a payload", msg: `1{}`, detail: "invalid payload"},
		{name: "DISCONNECT", msg: `1`, want: seen{Type: "DISCONNECT", Namespace: "/"}},
		{name: "CONNECT with an array", msg: `0[]`, detail: "invalid payload"},
		{name: "CONNECT with a string", msg: `0"s"`, detail: "invalid payload"},
		{name: "CONNECT with null", msg: `0null`, detail: "invalid payload"},
		{name: "CONNECT to a namespace with an array", msg: `0/custom,[]`, detail: "invalid payload"},
		{name: "CONNECT with bad JSON", msg: `0{"a"}`, detail: "invalid payload"},
		{name: "junk behind the id", msg: `21x["a"]`, detail: "invalid payload"},
		{name: "id beyond 64 bits", msg: `299999999999999999999["message"]`, detail: "id out of range"},
		{name: "smallest id beyond 64 bits", msg: `218446744073709551616["message"]`, detail: "id out of range"},
		{name: "largest id", msg: `218446744073709551615["message"]`, want: seen{Type: "EVENT", Namespace: "/", ID: 18446744073709551615, HasID: true, Name: "message"}},
		{name: "id 0", msg: `20["m"]`, want: seen{Type: "EVENT", Namespace: "/", HasID: true, Name: "m"}},
		{name: "space read as an id", msg: `2 ["m"]`, detail: "invalid payload"},
		{name: "main namespace spelled out", msg: `2/,["m"]`, want: seen{Type: "EVENT", Namespace: "/", Name: "m"}},
		{name: "space behind the payload", msg: `2["m"] `, want: seen{Type: "EVENT", Namespace: "/", Name: "m"}},
		{name: "space in the payload", msg: "2[ \"m\" ,\t1 ,\r\n[ ] ]", want: seen{Type: "EVENT", Namespace: "/", Name: "m", Args: []string{"1", "[ ]"}}},
		{name: "event for any namespace, which is for the server to refuse", msg: `2/foo,["a"]`, want: seen{Type: "EVENT", Namespace: "/foo", Name: "a"}},
		{name: "binary event of no attachments", msg: `50-["m"]`, detail: "illegal attachments"},
		{name: "binary event without a count", msg: `5["m"]`, detail: "illegal attachments"},
		{name: "binary event without a dash", msg: `51["m"]`, detail: "illegal attachments"},
		{name: "binary event of a count alone", msg: `51`, detail: "illegal attachments"},
		{name: "binary event of a negative count", msg: `5-1-["m"]`, detail: "illegal attachments"},
		{name: "11 attachments", msg: `511-["m"]`, detail: "too many attachments"},
		{name: "placeholder of an attachment that is not announced", msg: `51-["m",{"_placeholder":true,"num":1}]`, detail: "illegal attachments"},
		{name: "placeholder of a negative number", msg: `51-["m",{"_placeholder":true,"num":-1}]`, detail: "illegal attachments"},
		{name: "placeholder of a string", msg: `51-["m",{"_placeholder":true,"num":"0"}]`, detail: "illegal attachments"},
		{name: "placeholder of a fraction", msg: `51-["m",{"_placeholder":true,"num":0.5}]`, detail: "illegal attachments"},
		{name: "placeholder of a huge number", msg: `51-["m",{"_placeholder":true,"num":99999999999999999999}]`, detail: "illegal attachments"},
		{name: "placeholder without a number", msg: `51-["m",{"_placeholder":true}]`, detail: "illegal attachments"},
		{name: "binary event without a payload", msg: `51-`, detail: "invalid payload"},
		{name: "binary acknowledgement without a payload", msg: `61-5`, detail: "invalid payload"},
		{name: "namespace with a query", msg: `0/custom?x=1,`, want: seen{Type: "CONNECT", Namespace: "/custom?x=1"}},
		{name: "namespace without a comma", msg: `0/custom`, want: seen{Type: "CONNECT", Namespace: "/custom"}},
		{name: "leaving a namespace without a comma", msg: `1/custom`, want: seen{Type: "DISCONNECT", Namespace: "/custom"}},
		{name: "placeholder in a packet that is not binary", msg: `2["m",{"_placeholder":true,"num":7}]`, want: seen{
			Type: "EVENT", Namespace: "/", Name: "m", Args: []string{`{"_placeholder":true,"num":7}`},
		}},
		{name: "null arguments", msg: `2["a",null,null]`, want: seen{Type: "EVENT", Namespace: "/", Name: "a", Args: []string{"null", "null"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := packet.Default.NewDecoder(packet.Limits{})
			pkt, err := d.Text([]byte(tt.msg))
			if tt.detail != "" {
				expectRefused(t, err, tt.detail)
				expectReady(t, d)
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

// Binary messages that nobody waits for, and text where an attachment should come.
func TestStrictnessOrder(t *testing.T) {
	t.Parallel()
	t.Run("binary when none is pending", func(t *testing.T) {
		t.Parallel()
		d := packet.Default.NewDecoder(packet.Limits{})
		_, err := d.Binary([]byte("x"))
		expectRefused(t, err, "got binary data when not reconstructing a packet")
		expectReady(t, d)
	})
	t.Run("text while attachments are pending", func(t *testing.T) {
		t.Parallel()
		d := packet.Default.NewDecoder(packet.Limits{})
		expectPending(t, d, `52-["m",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
		_, err := d.Text([]byte(`2["m"]`))
		expectRefused(t, err, "got plaintext data when reconstructing a packet")
		expectReady(t, d)
	})
	t.Run("binary after text interrupted it", func(t *testing.T) {
		t.Parallel()
		d := packet.Default.NewDecoder(packet.Limits{})
		expectPending(t, d, `51-["m",{"_placeholder":true,"num":0}]`)
		_, _ = d.Text([]byte(`2["m"]`))
		_, err := d.Binary([]byte("x"))
		expectRefused(t, err, "got binary data when not reconstructing a packet")
	})
	t.Run("text to msgpack", func(t *testing.T) {
		t.Parallel()
		_, err := packet.Msgpack.NewDecoder(packet.Limits{}).Text([]byte(`2["m"]`))
		expectRefused(t, err, "got text data, want binary data")
	})
}

// Servers say more than clients may.
func TestStrictnessOfClients(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, msg, detail string
		want              seen
	}{
		{name: "refusal", msg: `4{"message":"Not authorized"}`, want: seen{Type: "CONNECT_ERROR", Namespace: "/", Data: `{"message":"Not authorized"}`}},
		{name: "refusal of python-socketio", msg: `4/x,"Unable to connect"`, want: seen{Type: "CONNECT_ERROR", Namespace: "/x", Data: `"Unable to connect"`}},
		{name: "refusal without a reason", msg: `4`, want: seen{Type: "CONNECT_ERROR", Namespace: "/"}},
		{name: "refusal of a number", msg: `41`, want: seen{Type: "CONNECT_ERROR", Namespace: "/", ID: 1, HasID: true}},
		{name: "refusal of an array", msg: `4[]`, detail: "invalid payload"},
		{name: "DISCONNECT with a reason", msg: `1{"message":"no"}`, want: seen{Type: "DISCONNECT", Namespace: "/", Data: `{"message":"no"}`}},
		{name: "confirmation", msg: `0{"sid":"a","pid":"b"}`, want: seen{Type: "CONNECT", Namespace: "/", Data: `{"sid":"a","pid":"b"}`}},
		{name: "confirmation of a 2.x server", msg: `0`, want: seen{Type: "CONNECT", Namespace: "/"}},
		{name: "reserved name", msg: `2["disconnect"]`, detail: "invalid payload"},
		{name: "event without a payload", msg: `2`, detail: "invalid payload"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pkt, err := packet.Default.NewDecoder(packet.Limits{FromServer: true}).Text([]byte(tt.msg))
			if tt.detail != "" {
				expectRefused(t, err, tt.detail)
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

// Errors show where a packet goes to and nothing of what is in it.
func TestErrorsKeepSecrets(t *testing.T) {
	t.Parallel()
	for _, msg := range []string{
		`0{"token":"hunter2"`, `0/admin?token=hunter2,[]`, `2/admin,17["login","hunter2"`, `51-["login","hunter2"]]`,
		`3/admin,1{"token":"hunter2"}`, `1"hunter2"`, `2["disconnect","hunter2"]`,
	} {
		for _, p := range []packet.Parser{packet.Default, packet.Revision4} {
			_, err := p.NewDecoder(packet.Limits{}).Text([]byte(msg))
			if err == nil {
				t.Errorf("%s: accepted", msg)
			} else if strings.Contains(errkit.Detail(err), "hunter2") {
				t.Errorf("%s: %v", msg, err)
			}
		}
	}
	_, err := packet.Default.NewDecoder(packet.Limits{}).Text([]byte(`2/admin,17["login"`))
	if e, ok := errors.AsType[*sioerr.PacketError](err); !ok || e.Packet != `"2/admin,17"` {
		t.Errorf("%v", err)
	}
	_, err = packet.Default.NewDecoder(packet.Limits{}).Text([]byte("2/" + strings.Repeat("\xff", 5000) + ",["))
	if e, ok := errors.AsType[*sioerr.PacketError](err); !ok || len(e.Packet) > 64 {
		t.Errorf("%v", err)
	}
}
