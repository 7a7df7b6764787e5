package minijson_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// nested returns n lists inside one another.
func nested(n int) []byte { return append(bytes.Repeat([]byte{0x41}, n), 8) }

func TestDecodeDepth(t *testing.T) {
	t.Parallel()
	type tree []tree
	decode := map[string]func(b []byte) error{
		"any":   func(b []byte) error { return minijson.Unmarshal(b, new(any)) },
		"typed": func(b []byte) error { return minijson.Unmarshal(b, new(tree)) },
		"raw":   func(b []byte) error { return minijson.Unmarshal(b, new(minijson.RawValue)) },
		"parse": func(b []byte) error { _, _, err := minijson.Parse(b); return err },
		"valid": minijson.Valid,
		"stream": func(b []byte) error {
			return minijson.NewDecoder(bytes.NewReader(b), nil).Decode(new(any))
		},
	}
	for name, f := range decode {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := f(nested(512)); err != nil {
				t.Errorf("512: %v", err)
			}
			for _, n := range []int{513, 100_000} {
				err := f(nested(n))
				e := wantDecodingError(t, err)
				if e.Reason != minijson.ReasonDepth || e.Offset != 512 || !errors.Is(err, minijson.ErrLimit) || !errors.Is(err, errkit.TooLarge) {
					t.Errorf("%d: %v", n, err)
				}
			}
		})
	}
}

func TestDecodeOptions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		opts   minijson.DecodeOptions
		hex    string
		v      any
		reason minijson.Reason // "" means that it decodes
		offset int64
	}{
		{"depth 1", minijson.DecodeOptions{MaxDepth: 1}, "4108", new(any), "", 0},
		{"depth 2 of 1", minijson.DecodeOptions{MaxDepth: 1}, "4140", new(any), minijson.ReasonDepth, 1},
		{"depth 2 of 1, objects", minijson.DecodeOptions{MaxDepth: 1}, "51016150", new(map[string]map[string]int), minijson.ReasonDepth, 3},
		{"depth 2 of 1, skipped", minijson.DecodeOptions{MaxDepth: 1}, "51016150", new(struct{}), minijson.ReasonDepth, 3},
		{"3 bytes", minijson.DecodeOptions{MaxBytes: 3}, "420808", new(any), "", 0},
		{"4 bytes of 3", minijson.DecodeOptions{MaxBytes: 3}, "43080808", new(any), minijson.ReasonSize, 0},
		{"3 elements", minijson.DecodeOptions{MaxCount: 3}, "42084108", new(any), "", 0},
		{"4 elements of 3", minijson.DecodeOptions{MaxCount: 3}, "4308084108", new(any), minijson.ReasonCount, 3},
		{"4 elements of 3, pairs", minijson.DecodeOptions{MaxCount: 3}, "6203010803025201610801620800", new(minijson.Map), minijson.ReasonCount, 6},
		{"4 elements of 3, skipped", minijson.DecodeOptions{MaxCount: 3}, "51017843080808", new(struct{}), minijson.ReasonCount, 3},
		{"equal keys", minijson.DecodeOptions{}, "5201610301" + "01610302", new(any), "", 0},
		{"equal keys, any", minijson.DecodeOptions{DisallowDuplicateKeys: true}, "5201610301" + "01610302", new(any), minijson.ReasonDuplicateKey, 5},
		{"equal keys, struct", minijson.DecodeOptions{DisallowDuplicateKeys: true}, "52036c61740301" + "036c61740302", new(position), minijson.ReasonDuplicateKey, 7},
		{"equal keys, pairs", minijson.DecodeOptions{DisallowDuplicateKeys: true}, "5201610301" + "01610302", new(minijson.Map), minijson.ReasonDuplicateKey, 5},
		{"equal keys, strings", minijson.DecodeOptions{DisallowDuplicateKeys: true}, "52016180" + "016180", new(map[string]string), minijson.ReasonDuplicateKey, 4},
		{"equal keys, ints", minijson.DecodeOptions{DisallowDuplicateKeys: true}, "620301" + "08" + "030108", new(map[int]any), minijson.ReasonDuplicateKey, 4},
		{"equal keys, two forms", minijson.DecodeOptions{DisallowDuplicateKeys: true}, "620301" + "08" + "02000108", new(any), minijson.ReasonDuplicateKey, 4},
		{"equal keys, both zeros", minijson.DecodeOptions{DisallowDuplicateKeys: true}, "620900000000" + "08" + "098000000008", new(any), minijson.ReasonDuplicateKey, 7},
		{"two NaNs are not equal", minijson.DecodeOptions{DisallowDuplicateKeys: true}, "62097fc00000" + "08" + "097fc0000008", new(any), "", 0},
		{"1 and 1.0 are not equal", minijson.DecodeOptions{DisallowDuplicateKeys: true}, "620301" + "08" + "093f80000008", new(any), "", 0},
		{"unknown field", minijson.DecodeOptions{DisallowUnknownFields: true}, "51017808", new(position), minijson.ReasonUnknownKey, 1},
		{"no unknown field", minijson.DecodeOptions{DisallowUnknownFields: true}, "51036c617408", new(position), "", 0},
		{"int key of a struct", minijson.DecodeOptions{DisallowUnknownFields: true}, "61030108", new(position), minijson.ReasonUnknownKey, 1},
		{"text", minijson.DecodeOptions{TextUnmarshalers: true}, "5183726564"[2:], new(color), "", 0},
		{"text, not asked for", minijson.DecodeOptions{}, "83726564", new(color), minijson.ReasonType, 0},
		{"text of a number", minijson.DecodeOptions{TextUnmarshalers: true}, "0301", new(color), minijson.ReasonType, 0},
		{"text that fails", minijson.DecodeOptions{TextUnmarshalers: true}, "4180", new([]color), minijson.ReasonMethod, 1},
		{"text with invalid UTF-8", minijson.DecodeOptions{TextUnmarshalers: true}, "81ff", new(color), minijson.ReasonUTF8, 0},
		{"lenient, inside a list", minijson.DecodeOptions{Lenient: true}, "411bfffffffb", new(any), "", 0},
		{"lenient, not the last", minijson.DecodeOptions{Lenient: true}, "421901", new(any), minijson.ReasonTruncated, 3},
		{"lenient, string", minijson.DecodeOptions{Lenient: true}, "8261", new(any), minijson.ReasonTruncated, 0},
		{"lenient, skipped", minijson.DecodeOptions{Lenient: true}, "5101781902aa", new(struct{}), "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := fromHex(t, tt.hex)
			err := tt.opts.Unmarshal(b, tt.v)
			if tt.reason == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e := wantDecodingError(t, err); e.Reason != tt.reason || e.Offset != tt.offset {
				t.Errorf("got %v, want %q at offset %d", err, tt.reason, tt.offset)
			}
			if limit := tt.reason == minijson.ReasonDepth || tt.reason == minijson.ReasonSize || tt.reason == minijson.ReasonCount; limit != errors.Is(err, minijson.ErrLimit) {
				t.Errorf("ErrLimit: %v", !limit)
			}
		})
	}
}

// memoryPerByte bounds what decoding into an any allocates, in bytes per byte of input. A list costs 16 bytes per
// element of one byte; a Go map with one entry costs some 350 bytes, and the shortest object that makes one takes 2.
const memoryPerByte = 200

// TestHostileLengths: no announced length or count makes the decoder reserve memory for more than there is.
func TestHostileLengths(t *testing.T) {
	u32 := func(tag byte, n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{tag}, n) }
	chain := func(link []byte, n int) []byte { return bytes.Repeat(link, n) }
	const size = 64 << 10
	documents := map[string][]byte{
		"huge string":    u32(0x0E, 1<<32-1),
		"huge bytes":     u32(0x1B, 1<<32-1),
		"huge list":      u32(0x10, 1<<31-1),
		"huge object":    u32(0x12, 1<<32-1),
		"huge map":       u32(0x13, 1<<32-1),
		"list of lists":  append(chain(u32(0x10, 2000), 500), make([]byte, 2500)...), // each says that all the rest is its own
		"maps of maps":   append(chain(append(u32(0x12, 1000), 1, 'a'), 300), make([]byte, 2500)...),
		"generic maps":   append(chain(append(u32(0x13, 1000), 8), 300), make([]byte, 2500)...),
		"nulls":          append(u32(0x10, size), bytes.Repeat([]byte{8}, size)...),
		"empty lists":    append(u32(0x10, size), bytes.Repeat([]byte{0x40}, size)...),
		"empty objects":  append(u32(0x10, size), bytes.Repeat([]byte{0x50}, size)...),
		"small objects":  append(u32(0x10, size/3), bytes.Repeat([]byte{0x51, 0, 8}, size/3)...),
		"nested objects": append(u32(0x10, 100), bytes.Repeat(append(bytes.Repeat([]byte{0x51, 0}, 511), 8), 100)...),
		"same key":       append(u32(0x12, size/2), bytes.Repeat([]byte{0, 8}, size/2)...),
		"null keys":      append(u32(0x13, size/2), bytes.Repeat([]byte{8, 8}, size/2)...),
	}
	for name, doc := range documents {
		t.Run(name, func(t *testing.T) {
			for _, target := range []func() any{
				func() any { return new(any) },
				func() any { return new(minijson.Map) },
				func() any { return new(struct{ A []any }) },
				func() any { return new([]position) },
				func() any { return new(minijson.RawValue) },
			} {
				v := target()
				used := allocated(func() { _ = minijson.Unmarshal(doc, v) })
				if limit := uint64(memoryPerByte*len(doc) + 64<<10); used > limit {
					t.Errorf("%T: %d bytes for %d bytes of input", v, used, len(doc))
				}
			}
			r := strings.NewReader(string(doc))
			used := allocated(func() { _ = minijson.NewDecoder(r, nil).Decode(new(any)) })
			if limit := uint64((memoryPerByte+8)*len(doc) + 64<<10); used > limit {
				t.Errorf("stream: %d bytes for %d bytes of input", used, len(doc))
			}
		})
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
