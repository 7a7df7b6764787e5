package packet_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// Attachment counts that killed the process of googollee/go-socket.io: nothing is allocated for what is only announced,
// and every placeholder is checked.
func TestPeerBug1AttachmentCounts(t *testing.T) {
	for _, tt := range []struct{ msg, detail string }{
		{`59000000000000-["bin",{"_placeholder":true,"num":0}]`, "too many attachments"},
		{`599999999999999999999999999-["bin"]`, "too many attachments"},
		{`518446744073709551616-["bin"]`, "too many attachments"},
		{`5` + strings.Repeat("9", 1<<20) + `-["bin"]`, "too many attachments"},
		{`69000000000000-1["bin"]`, "too many attachments"},
		{`50-["bin",{"_placeholder":true,"num":7}]`, "illegal attachments"},
		{`51-["bin",{"_placeholder":true,"num":7}]`, "illegal attachments"},
		{`51-["bin",{"_placeholder":true,"num":9223372036854775808}]`, "illegal attachments"},
		{`51-["bin",[[{"a":{"_placeholder":true,"num":-1}}]]]`, "illegal attachments"},
		{`51-["bin",{"_placeholder":true,"num":0,"num":1}]`, "illegal attachments"},
	} {
		for _, p := range []packet.Parser{packet.Default, packet.Revision4} {
			d := p.NewDecoder(packet.Limits{})
			expectCheap(t, 64<<10, func() {
				_, err := d.Text([]byte(tt.msg[:min(len(tt.msg), 1<<10)]))
				expectRefused(t, err, tt.detail)
			})
			_, err := d.Text([]byte(tt.msg))
			expectRefused(t, err, tt.detail)
			expectReady(t, d)
		}
	}
}

// A value that is nil, or one that cannot be encoded, is no packet that makes the peer disconnect, and no panic.
func TestPeerBug9NilAndMarshalErrors(t *testing.T) {
	t.Parallel()
	for _, p := range []packet.Parser{packet.Default, packet.Revision4, packet.Msgpack} {
		for _, values := range [][]any{{nil}, {1, nil}, {(*int)(nil)}, {error(nil)}, {[]any{nil}}, {map[string]any(nil)}} {
			e, err := p.Encode(&packet.Packet{Type: packet.Event, Name: "x"}, values...)
			if err != nil {
				t.Errorf("%v: %v", values, err)
				continue
			}
			if pkt := decoded(t, p.NewDecoder(packet.Limits{}), e); pkt.Args.Len() != len(values) {
				t.Errorf("%v: %d arguments", values, pkt.Args.Len())
			}
		}
		for _, value := range []any{make(chan int), failing{}, func() {}} {
			e, err := p.Encode(&packet.Packet{Type: packet.Event, Name: "x"}, value)
			expectUnencodable(t, err)
			if e.Text != nil || e.Binary != nil {
				t.Errorf("sent %q, %q", e.Text, e.Binary)
			}
		}
	}
}

// A binary packet of no attachments is refused at once, and the packet after it is not.
func TestPeerBug10ZeroAttachments(t *testing.T) {
	t.Parallel()
	for _, msg := range []string{
		`50-["bin"]`, `50-["bin",{"_placeholder":true}]`, `500-["bin"]`, `60-1["bin"]`, `5-["bin"]`, `51-["bin",{"_placeholder":true}]`,
	} {
		for _, p := range []packet.Parser{packet.Default, packet.Revision4} {
			d := p.NewDecoder(packet.Limits{})
			_, err := d.Text([]byte(msg))
			expectRefused(t, err, "illegal attachments")
			expectReady(t, d)
			_, err = d.Text([]byte(msg))
			expectRefused(t, err, "illegal attachments")
			_, err = d.Binary([]byte("x"))
			expectRefused(t, err, "got binary data when not reconstructing a packet")
		}
	}
}

func TestAttachmentBomb(t *testing.T) {
	placeholders := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,{"_placeholder":true,"num":%d}`, i)
		}
		return b.String()
	}
	for _, tt := range []struct {
		name   string
		limits packet.Limits
		max    int
	}{
		{"from a client", packet.Limits{}, 10},
		{"from a server", packet.Limits{FromServer: true}, 1000},
		{"as set", packet.Limits{MaxAttachments: 3}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := packet.Default.NewDecoder(tt.limits)
			_, err := d.Text(fmt.Appendf(nil, `5%d-["bin"%s]`, tt.max+1, placeholders(tt.max+1)))
			expectRefused(t, err, "too many attachments")
			expectPending(t, d, fmt.Sprintf(`5%d-["bin"%s]`, tt.max, placeholders(tt.max)))
			for i := range tt.max {
				pkt, err := d.Binary([]byte{byte(i)})
				if err != nil || (pkt != nil) != (i == tt.max-1) {
					t.Fatalf("attachment %d: %v, %v", i, pkt, err)
				}
			}
			expectReady(t, d)
		})
	}
	t.Run("bytes in all", func(t *testing.T) {
		d := packet.Default.NewDecoder(packet.Limits{MaxBytes: 1000})
		const three = `53-["bin"]`
		expectPending(t, d, three)
		if _, err := d.Binary(make([]byte, 990)); err != nil {
			t.Fatal(err)
		}
		_, err := d.Binary([]byte("x"))
		expectRefused(t, err, "more than 1000 bytes with attachments")
		expectReady(t, d)
		expectPending(t, d, three)
		_, err = d.Binary(make([]byte, 991))
		expectRefused(t, err, "more than 1000 bytes with attachments")
		expectPending(t, d, `51-["bin"]`)
		if pkt, err := d.Binary(make([]byte, 5000)); pkt == nil || err != nil {
			t.Errorf("one message alone: %v, %v", pkt, err)
		}
	})
	t.Run("the same one often", func(t *testing.T) {
		d := packet.Default.NewDecoder(packet.Limits{})
		const n = 1000
		expectPending(t, d, `51-["bin"`+strings.Repeat(`,{"_placeholder":true,"num":0}`, n)+`]`)
		pkt, err := d.Binary([]byte("x"))
		if err != nil || pkt.Args.Len() != n {
			t.Fatal(err)
		}
		for i := range n {
			if b, ok := pkt.Args.Bytes(i); !ok || string(b) != "x" {
				t.Fatalf("argument %d: %q", i, b)
			}
		}
	})
	t.Run("attachments that nothing refers to", func(t *testing.T) {
		d := packet.Default.NewDecoder(packet.Limits{})
		expectPending(t, d, `52-["bin",1]`)
		if pkt, err := d.Binary([]byte("x")); pkt != nil || err != nil {
			t.Fatal(err)
		}
		pkt, err := d.Binary(nil)
		if err != nil || pkt.Args.Len() != 1 || len(pkt.Args.Attachments()) != 2 {
			t.Errorf("%v, %v", pkt, err)
		}
	})
	t.Run("many in msgpack", func(t *testing.T) {
		msg := append([]byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1x\xdd\x00\x01\x86\xa0"), bytes.Repeat([]byte{0xc4, 0}, 100_000)...)
		d := packet.Msgpack.NewDecoder(packet.Limits{})
		expectCheap(t, 512<<10, func() {
			_, err := d.Binary(msg)
			expectRefused(t, err, "too many attachments")
		})
	})
}

// JSON nested 100,000 deep is refused where it becomes too deep, whatever comes after.
func TestDeepJSON(t *testing.T) {
	const n = 100_000
	for _, tt := range []struct{ name, msg string }{
		{"arrays in an event", `2["x",` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `]`},
		{"arrays that nobody closes", `2["x",` + strings.Repeat(`[`, n)},
		{"objects in an event", `2["x",` + strings.Repeat(`{"a":`, n) + `1` + strings.Repeat(`}`, n) + `]`},
		{"objects in CONNECT", `0` + strings.Repeat(`{"a":`, n) + `1` + strings.Repeat(`}`, n)},
		{"arrays in an acknowledgement", `31` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n)},
		{"arrays in a binary event", `51-["x",` + strings.Repeat(`[`, n) + `{"_placeholder":true,"num":0}` + strings.Repeat(`]`, n) + `]`},
		{"arrays in an error", `4{"a":` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := packet.Default.NewDecoder(packet.Limits{FromServer: true})
			_, err := d.Text([]byte(tt.msg))
			expectRefused(t, err, "nested too deeply")
			expectReady(t, d)
		})
	}
	t.Run("msgpack", func(t *testing.T) {
		for _, open := range []string{"\x91", "\x81\xa1a", "\xdc\x00\x01", "\xdf\x00\x00\x00\x01\xa1a"} {
			msg := []byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1x" + strings.Repeat(open, n))
			d := packet.Msgpack.NewDecoder(packet.Limits{})
			expectCheap(t, 64<<10, func() {
				_, err := d.Binary(msg)
				expectRefused(t, err, "nested too deeply")
			})
		}
	})
	t.Run("in a value of an unknown key", func(t *testing.T) {
		_, err := packet.Msgpack.NewDecoder(packet.Limits{}).Binary([]byte("\x81\xa7options" + strings.Repeat("\x91", n)))
		expectRefused(t, err, "nested too deeply")
	})
	t.Run("as deep as allowed", func(t *testing.T) {
		for _, depth := range []int{1, 3, 512, 10_000} {
			d := packet.Default.NewDecoder(packet.Limits{MaxDepth: depth})
			deep := func(n int) []byte {
				return []byte(`2["x",` + strings.Repeat(`[`, n-1) + `1` + strings.Repeat(`]`, n-1) + `]`)
			}
			pkt, err := d.Text(deep(depth))
			if err != nil {
				t.Fatal(err)
			}
			if err := pkt.Args.Decode(0, new(any)); err != nil {
				t.Error(err)
			}
			_, err = d.Text(deep(depth + 1))
			expectRefused(t, err, "nested too deeply")
		}
		d := packet.Default.NewDecoder(packet.Limits{MaxDepth: 1 << 30})
		_, err := d.Text([]byte(`2["x",` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `]`))
		expectRefused(t, err, "nested too deeply")
	})
}

// 200,000 arguments are refused at the first that is too many.
func TestManyArguments(t *testing.T) {
	const n = 200_000
	for _, msg := range []string{
		`2["x"` + strings.Repeat(`,1`, n) + `]`,
		`31[1` + strings.Repeat(`,1`, n) + `]`,
		`51-["x",{"_placeholder":true,"num":0}` + strings.Repeat(`,1`, n) + `]`,
	} {
		d := packet.Default.NewDecoder(packet.Limits{})
		data := []byte(msg)
		expectCheap(t, 480<<10, func() { // of which the copy of a binary event's text is 400,000
			_, err := d.Text(data)
			expectRefused(t, err, "too many arguments")
		})
		expectReady(t, d)
	}
	array := binary.BigEndian.AppendUint32([]byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\xdd"), n)
	msg := append(append(array, "\xa1x"...), bytes.Repeat([]byte{1}, n)...)
	expectCheap(t, 16<<10, func() {
		_, err := packet.Msgpack.NewDecoder(packet.Limits{}).Binary(msg)
		expectRefused(t, err, "too many arguments")
	})
	// One argument may be an array of any length.
	d := packet.Default.NewDecoder(packet.Limits{MaxArgs: 1})
	if pkt, err := d.Text([]byte(`2["x",[1` + strings.Repeat(`,1`, n) + `]]`)); err != nil || pkt.Args.Len() != 1 {
		t.Error(err)
	}
	_, err := d.Text([]byte(`2["x",1,2]`))
	expectRefused(t, err, "too many arguments")
}

// Decoding goes over every part of the text once, however deep the attachments are.
func TestDeepAttachmentIsLinear(t *testing.T) {
	const depth = 500
	filler := `"` + strings.Repeat("x", 100_000) + `"`
	d := packet.Default.NewDecoder(packet.Limits{})
	expectPending(t, d, `51-["x",`+strings.Repeat(`[`, depth)+filler+`,{"_placeholder":true,"num":0},`+filler+strings.Repeat(`]`, depth)+`]`)
	pkt, err := d.Binary([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	var v any
	expectCheap(t, 4<<20, func() { err = pkt.Args.Decode(0, &v) })
	if err != nil {
		t.Fatal(err)
	}
	for range depth - 1 {
		v = v.([]any)[0]
	}
	if got := v.([]any)[1].([]byte); string(got) != "x" {
		t.Errorf("%q", got)
	}
}

// expectCheap checks how many bytes fn allocates, at best of a few times. No other test may run meanwhile.
func expectCheap(t *testing.T, limit uint64, fn func()) {
	t.Helper()
	best := ^uint64(0)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		fn()
		runtime.ReadMemStats(&after)
		best = min(best, after.TotalAlloc-before.TotalAlloc)
	}
	if best > limit {
		t.Errorf("%d bytes allocated, want at most %d", best, limit)
	}
}
