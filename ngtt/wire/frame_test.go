package wire_test

import (
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// golden are frames as they were seen on the wire between the original client and a hub.
var golden = []struct {
	name  string
	hex   string
	frame wire.Frame
}{
	{"fetch orders", "000000000005000a", wire.Frame{Type: wire.TypeFetchOrders, TID: 5}},
	{"ping", "0000000200010000" + "414c", wire.Frame{Type: wire.TypePing, TID: 1, Body: []byte("AL")}},
	{
		"order", "0000003d00070001" +
			"4152066f72646572734154047479706585777269746504706174688257310576616c756503050661647669736503010b646973706f736974696f6e0300",
		wire.Frame{Type: wire.TypeOrder, TID: 7, Body: unhex(
			"4152066f72646572734154047479706585777269746504706174688257310576616c756503050661647669736503010b646973706f736974696f6e0300")},
	},
	{"order confirm", "0000000000070002", wire.Frame{Type: wire.TypeOrderConfirm, TID: 7}},
	{"order reject", "00000000ffff0009", wire.Frame{Type: wire.TypeOrderReject, TID: 0xffff}},
	{"logs", "0000000100000003" + "40", wire.Frame{Type: wire.TypeLogs, Body: []byte{0x40}}},
	{"data stream", "0000000180000004" + "40", wire.Frame{Type: wire.TypeDataStream, TID: 0x8000, Body: []byte{0x40}}},
	{"data stream confirm", "0000000080000005", wire.Frame{Type: wire.TypeDataStreamConfirm, TID: 0x8000}},
	{"data stream reject", "0000000080000006", wire.Frame{Type: wire.TypeDataStreamReject, TID: 0x8000}},
	{"sync baob request", "0000000100020007" + "50", wire.Frame{Type: wire.TypeSyncBAOBRequest, TID: 2, Body: []byte{0x50}}},
	{"sync baob response", "0000000100020008" + "50", wire.Frame{Type: wire.TypeSyncBAOBResponse, TID: 2, Body: []byte{0x50}}},
	{"no known type", "000000030000ffff" + "000102", wire.Frame{Type: 0xffff, Body: []byte{0, 1, 2}}},
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// all returns the golden frames and their bytes, coalesced.
func all() (frames []wire.Frame, stream []byte) {
	for _, g := range golden {
		frames = append(frames, g.frame)
		stream = append(stream, unhex(g.hex)...)
	}
	return frames, stream
}

// collect reads frames until an error, with copies of their bodies.
func collect(r *wire.Reader) (frames []wire.Frame, err error) {
	for {
		f, err := r.Next()
		if err != nil {
			return frames, err
		}
		f.Body = append([]byte(nil), f.Body...)
		frames = append(frames, f)
	}
}

func TestGoldenFrames(t *testing.T) {
	t.Parallel()
	for _, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			encoded, err := wire.AppendFrame([]byte("before"), g.frame)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff("before"+string(unhex(g.hex)), string(encoded)); d != "" {
				t.Errorf("encoded (-want +got):\n%s", d)
			}
			frames, err := collect(wire.NewReader(strings.NewReader(string(unhex(g.hex))), 0))
			if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("end: %v", err)
			}
			if d := cmp.Diff([]wire.Frame{g.frame}, frames); d != "" {
				t.Errorf("decoded (-want +got):\n%s", d)
			}
		})
	}
}

func TestTypeString(t *testing.T) {
	t.Parallel()
	want := "PING ORDER ORDER_CONFIRM LOGS DATA_STREAM DATA_STREAM_CONFIRM DATA_STREAM_REJECT SYNC_BAOB_REQUEST " +
		"SYNC_BAOB_RESPONSE ORDER_REJECT FETCH_ORDERS TYPE_11"
	var names []string
	for typ := range wire.Type(12) {
		names = append(names, typ.String())
	}
	if d := cmp.Diff(want, strings.Join(names, " ")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestFramesFedByteByByte(t *testing.T) {
	t.Parallel()
	want, stream := all()
	got, err := collect(wire.NewReader(iotest.OneByteReader(strings.NewReader(string(stream))), 0))
	if err != io.EOF {
		t.Errorf("end: %v", err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// parts gives its parts, one at a read.
type parts [][]byte

func (p *parts) Read(b []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(b, (*p)[0])
	if (*p)[0] = (*p)[0][n:]; len((*p)[0]) == 0 {
		*p = (*p)[1:]
	}
	return n, nil
}

// A stream that comes in two pieces is the same wherever it is cut.
func TestFramesSplitAtEveryByteBoundary(t *testing.T) {
	t.Parallel()
	want, stream := all()
	for cut := range stream {
		got, err := collect(wire.NewReader(&parts{stream[:cut], stream[cut:]}, 0))
		if err != io.EOF {
			t.Errorf("cut at %d: %v", cut, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("cut at %d (-want +got):\n%s", cut, d)
		}
	}
}

func TestFramesCoalescedByTheHundred(t *testing.T) {
	t.Parallel()
	var want []wire.Frame
	var stream []byte
	for range 100 {
		frames, bytes := all()
		want, stream = append(want, frames...), append(stream, bytes...)
	}
	got, err := collect(wire.NewReader(&parts{stream}, 0))
	if err != io.EOF {
		t.Errorf("end: %v", err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A stream that ends in the middle of a frame ends too early, one that ends between two frames does not. Either way the
// frames before it are there.
func TestTruncatedAtEveryByte(t *testing.T) {
	t.Parallel()
	frames, stream := all()
	boundaries := map[int]int{0: 0}
	at := 0
	for i, g := range golden {
		at += len(g.hex) / 2
		boundaries[at] = i + 1
	}
	whole := 0
	for cut := range len(stream) + 1 {
		want := io.ErrUnexpectedEOF
		if n, ok := boundaries[cut]; ok {
			whole, want = n, io.EOF
		}
		r := wire.NewReader(&parts{stream[:cut]}, 0)
		got, err := collect(r)
		if err != want || len(got) != whole {
			t.Errorf("cut at %d: %d frames and %v, want %d and %v", cut, len(got), err, whole, want)
		}
		if d := cmp.Diff(frames[:whole], got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("cut at %d (-want +got):\n%s", cut, d)
		}
		if _, again := r.Next(); again != want {
			t.Errorf("cut at %d: the second call returns %v", cut, again)
		}
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	const limit = 1000
	fits := wire.Frame{Type: wire.TypeOrder, TID: 1, Body: make([]byte, limit)}
	stream, err := wire.AppendFrame(nil, fits)
	if err != nil {
		t.Fatal(err)
	}
	stream = wire.AppendHeader(stream, wire.Header{Length: limit + 1, TID: 2, Type: wire.TypeOrder})
	r := wire.NewReader(&parts{stream}, limit)
	if f, err := r.Next(); err != nil || len(f.Body) != limit {
		t.Fatalf("%d bytes, %v", len(f.Body), err)
	}
	for range 2 {
		_, err := r.Next()
		invalid, ok := errors.AsType[*wire.InvalidFrameError](err)
		if !ok || !errors.Is(err, wire.ErrInvalidFrame) || !errors.Is(err, errkit.TooLarge) || !errors.Is(err, errkit.Protocol) {
			t.Fatalf("%v", err)
		}
		if invalid.Type != uint16(wire.TypeOrder) || invalid.TID != 2 || invalid.Length != limit+1 {
			t.Errorf("%+v", invalid)
		}
	}
}

// The length in a header is a promise: memory follows what has arrived.
func TestGrowthIsBounded(t *testing.T) {
	stream := wire.AppendHeader(nil, wire.Header{Length: 1 << 31, TID: 1, Type: wire.TypeOrder})
	stream = append(stream, make([]byte, 100)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := wire.NewReader(&parts{stream}, 0).Next()
	runtime.ReadMemStats(&after)
	if err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	used := after.TotalAlloc - before.TotalAlloc
	if used > 128<<10 {
		t.Errorf("a header that announces 2 GiB took %d bytes", used)
	}
}

// A body that needs more than one block, followed by others that share its reads.
func TestLongBodies(t *testing.T) {
	t.Parallel()
	var want []wire.Frame
	var stream []byte
	for i, size := range []int{64 << 10, 0, 1 << 20, 1, 200 << 10, 65528, 65529, 3} {
		f := wire.Frame{Type: wire.TypeOrder, TID: uint16(i), Body: []byte(strings.Repeat(string(rune('a'+i)), size))}
		want = append(want, f)
		stream, _ = wire.AppendFrame(stream, f)
	}
	for name, source := range map[string]io.Reader{
		"at once":      strings.NewReader(string(stream)),
		"half reads":   iotest.HalfReader(strings.NewReader(string(stream))),
		"with the end": iotest.DataErrReader(strings.NewReader(string(stream))),
	} {
		got, err := collect(wire.NewReader(source, 1<<20))
		if err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got, cmp.Comparer(func(a, b []byte) bool { return string(a) == string(b) })); d != "" {
			t.Errorf("%s: frames differ", name)
		}
	}
}

func TestErrorsOfTheSourceStay(t *testing.T) {
	t.Parallel()
	r := wire.NewReader(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("12345678"))), 0)
	for range 2 {
		if _, err := r.Next(); err != iotest.ErrTimeout {
			t.Errorf("%v", err)
		}
	}
	if _, err := wire.NewReader(iotest.ErrReader(nil), 0).Next(); err != io.ErrNoProgress {
		t.Errorf("a source that gives nothing: %v", err)
	}
}

func TestAppendFrameAllocatesNothing(t *testing.T) {
	f := wire.Frame{Type: wire.TypeOrder, TID: 1, Body: make([]byte, 1000)}
	buf := make([]byte, 0, 2000)
	if n := testing.AllocsPerRun(100, func() { _, _ = wire.AppendFrame(buf, f) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
