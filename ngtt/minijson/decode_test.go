package minijson_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// into decodes into a new T.
func into[T any](b []byte) (any, error) {
	v := new(T)
	err := minijson.Unmarshal(b, v)
	return *v, err
}

func TestUnmarshal(t *testing.T) {
	t.Parallel()
	type embedded struct {
		position
		Name string `json:"name"`
	}
	long := strings.Repeat("k", 300)
	tests := []struct {
		name string
		hex  string
		into func([]byte) (any, error)
		want any
	}{
		{"bool", "16", into[bool], true},
		{"int8", "0380", into[int8], int8(-128)},
		{"named int", "0380", into[level], level(-128)},
		{"int from uint8", "06ff", into[int16], int16(255)},
		{"int from long form", "18080000000000000001", into[int8], int8(1)},
		{"int from 255 bytes", "18ff" + strings.Repeat("00", 254) + "01", into[int8], int8(1)},
		{"negative from 255 bytes", "18ff" + strings.Repeat("ff", 255), into[int8], int8(-1)},
		{"int from integral float", "0940000000", into[int], 2},
		{"uint from integral float", "0940000000", into[uint], uint(2)},
		{"uint64 from large float", "0a43e0000000000000", into[uint64], uint64(1 << 63)},
		{"uint64", "180900ffffffffffffffff", into[uint64], uint64(math.MaxUint64)},
		{"float from int", "0c000001", into[float64], 1.0},
		{"float from big", "1809010000000000000000", into[float64], math.Ldexp(1, 64)},
		{"float32 rounds", "0a3fb999999999999a", into[float32], float32(0.1)},
		{"float32 infinite", "0a7ff0000000000000", into[float32], float32(math.Inf(1))},
		{"named string", "8161", into[name], name("a")},
		{"bytes", "1901aa", into[[]byte], []byte{0xAA}},
		{"empty bytes", "1900", into[[]byte], []byte{}},
		{"named bytes", "1901aa", into[blob], blob{0xAA}},
		{"array of bytes", "190401020304", into[digest], digest{1, 2, 3, 4}},
		{"slice", "4203010302", into[[]int], []int{1, 2}},
		{"slice of any", "42030108", into[[]any], []any{int64(1), nil}},
		{"slice of strings", "418161", into[[]string], []string{"a"}},
		{"slice of floats", "420301093f800000", into[[]float64], []float64{1, 1}},
		{"slice of int64 with null", "42030108", into[[]int64], []int64{1, 0}},
		{"empty slice", "0700", into[[]int], []int{}},
		{"array", "410301", into[[2]int], [2]int{1, 0}},
		{"pointer", "0301", into[*int], pointer(1)},
		{"pointer to pointer", "0301", into[**int], pointer(pointer(1))},
		{"null pointer", "08", into[*int], (*int)(nil)},
		{"null slice", "08", into[[]int], []int(nil)},
		{"null map", "08", into[map[string]any], map[string]any(nil)},
		{"null leaves an int alone", "08", into[int], 0},
		{"null struct", "08", into[position], position{}},
		{"any", "5101610301", into[any], map[string]any{"a": int64(1)}},
		{"map of any", "5101610301", into[map[string]any], map[string]any{"a": int64(1)}},
		{"map of any from a generic one", "61816103" + "01", into[map[string]any], map[string]any{"a": int64(1)}},
		{"map of strings", "5101618162", into[map[string]string], map[string]string{"a": "b"}},
		{"map of strings with null", "51016108", into[map[string]string], map[string]string{"a": ""}},
		{"map of ints", "5101610301", into[map[string]int], map[string]int{"a": 1}},
		{"map of structs", "510161" + "51036c61740301", into[map[name]position], map[name]position{"a": {Lat: 1}}},
		{"int keys", "6103010302", into[map[int]int], map[int]int{1: 2}},
		{"bool keys", "61160302", into[map[bool]int], map[bool]int{true: 2}},
		{"float keys", "6109800000000302", into[map[float64]int], map[float64]int{0: 2}},
		{"array keys", "6119040102030403" + "02", into[map[digest]int], map[digest]int{{1, 2, 3, 4}: 2}},
		{"any keys", "62030103028161" + "0303", into[map[any]int], map[any]int{int64(1): 2, "a": 3}},
		{"any keys of an object", "5101610303", into[map[any]int], map[any]int{"a": 3}},
		{"null as an any key", "61080303", into[map[any]int], map[any]int{nil: 3}},
		{"pairs", "620301030281610303", into[minijson.Map], minijson.Map{{int64(1), int64(2)}, {"a", int64(3)}}},
		{"pairs of an object", "5201620301" + "01610302", into[minijson.Map], minijson.Map{{"b", int64(1)}, {"a", int64(2)}}},
		{"pairs, twice", "5201620301" + "01620302", into[minijson.Map], minijson.Map{{"b", int64(2)}}},
		{"key of 300 bytes", "610d012c" + strings.Repeat("6b", 300) + "0301", into[map[string]any], map[string]any{long: int64(1)}},
		{"struct", "53036c6174093f800000036c6f6e0302" + "03616c740307", into[position], position{1, 2, pointer(7)}},
		{"struct, other order", "52036c6f6e0302" + "036c61740301", into[position], position{1, 2, nil}},
		{"struct from a generic map", "62836c6f6e0302" + "0308" + "0301", into[position], position{0, 2, nil}},
		{"struct, unknown keys", "5301784f" + strings.Repeat("08", 15) + "036c61740301" + "017a5101790a3fb999999999999a", into[position], position{1, 0, nil}},
		{"struct, exact names alone", "51034c61740301", into[position], position{}},
		{"struct, key twice", "52036c6174" + "0301" + "036c61740302", into[position], position{2, 0, nil}},
		{"struct, map twice", "52014d5101610301" + "014d5101620302", into[struct{ M map[string]int }], struct{ M map[string]int }{map[string]int{"b": 2}}},
		{"embedded", "52036c61740301" + "046e616d658161", into[embedded], embedded{position{Lat: 1}, "a"}},
		{"list", "51046e65787451046e65787408", into[list], list{&list{}}},
		{"big", "1809010000000000000000", into[big.Int], *new(big.Int).Lsh(big.NewInt(1), 64)},
		{"pointer to big", "0301", into[*big.Int], big.NewInt(1)},
		{"big from float", "0a4430000000000000", into[*big.Int], new(big.Int).Lsh(big.NewInt(1), 68)},
		{"json integer", "0301", into[json.Number], json.Number("1")},
		{"json big", "1809010000000000000000", into[json.Number], json.Number("18446744073709551616")},
		{"json float", "093f800000", into[json.Number], json.Number("1.0")},
		{"json large float", "0a7fe1ccf385ebc8a0", into[json.Number], json.Number("1e+308")},
		{"raw", "42030108", into[[]minijson.RawValue], []minijson.RawValue{{3, 1}, {8}}},
		{"unmarshaler", "4108", into[[]rawLength], []rawLength{1}},
		{"unmarshaler behind a pointer", "42030108", into[[]*rawLength], []*rawLength{pointer(rawLength(2)), nil}},
		{"unmarshaler as key", "6103010302", into[map[rawLength]int], map[rawLength]int{2: 2}},
		{"duration", "013b9aca00", into[time.Duration], time.Second},
		{"uint keys", "61067f0302", into[map[uint8]int], map[uint8]int{127: 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.into(fromHex(t, tt.hex))
			if err != nil {
				t.Fatal(err)
			}
			opts := cmp.Options{
				cmp.AllowUnexported(embedded{}),
				cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 }),
				cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }),
			}
			if d := cmp.Diff(tt.want, got, opts); d != "" {
				t.Errorf("value (-want +got):\n%s", d)
			}
		})
	}
}

// hidden is embedded by a pointer that cannot be set.
type hidden struct{ H int }

// rawLength is the length of its encoding.
type rawLength int

func (r *rawLength) UnmarshalMiniJSON(b []byte) error {
	if len(b) > 2 {
		return errors.New("too long")
	}
	*r = rawLength(len(b))
	return nil
}

type pointerToItself *pointerToItself

func TestUnmarshalRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		hex    string
		into   func([]byte) (any, error)
		reason minijson.Reason
		offset int64
	}{
		{"int8 too large", "420301" + "0680", into[[]int8], minijson.ReasonRange, 3},
		{"uint negative", "03ff", into[uint], minijson.ReasonRange, 0},
		{"uint8 too large", "020100", into[uint8], minijson.ReasonRange, 0},
		{"int64 too large", "1809008000000000000000", into[int64], minijson.ReasonRange, 0},
		{"uint64 too large", "1809010000000000000000", into[uint64], minijson.ReasonRange, 0},
		{"float too large for int64", "0a43e0000000000000", into[int64], minijson.ReasonRange, 0},
		{"float that is not integral", "093fc00000", into[int], minijson.ReasonType, 0},
		{"NaN as int", "097fc00000", into[int], minijson.ReasonType, 0},
		{"infinity as uint", "097f800000", into[uint], minijson.ReasonType, 0},
		{"infinity as big", "097f800000", into[big.Int], minijson.ReasonType, 0},
		{"double too large for float32", "0a47f0000000000000", into[float32], minijson.ReasonRange, 0},
		{"integer too large for float64", "18ff7f" + strings.Repeat("ff", 254), into[float64], minijson.ReasonRange, 0},
		{"NaN as json number", "097fc00000", into[json.Number], minijson.ReasonRange, 0},
		{"bool as int", "16", into[int], minijson.ReasonType, 0},
		{"string as int", "8131", into[int], minijson.ReasonType, 0},
		{"int as string", "0301", into[string], minijson.ReasonType, 0},
		{"int as bool", "0301", into[bool], minijson.ReasonType, 0},
		{"bytes as string", "190161", into[string], minijson.ReasonType, 0},
		{"string as bytes", "8161", into[[]byte], minijson.ReasonType, 0},
		{"list as bytes", "410301", into[[]byte], minijson.ReasonType, 0},
		{"list as struct", "40", into[position], minijson.ReasonType, 0},
		{"object as list", "50", into[[]int], minijson.ReasonType, 0},
		{"list as map", "40", into[map[string]any], minijson.ReasonType, 0},
		{"list as pairs", "40", into[minijson.Map], minijson.ReasonType, 0},
		{"list longer than the array", "4203010301", into[[1]int], minijson.ReasonRange, 0},
		{"bytes shorter than the array", "190101", into[digest], minijson.ReasonRange, 0},
		{"string key for int", "510161" + "0301", into[map[int]int], minijson.ReasonType, 1},
		{"int key for string", "610301" + "0301", into[map[string]int], minijson.ReasonType, 1},
		{"int key for a map of any", "610301" + "0301", into[map[string]any], minijson.ReasonType, 1},
		{"null key for int", "6108" + "0301", into[map[int]int], minijson.ReasonType, 1},
		{"bytes key for any", "61190161" + "0301", into[map[any]int], minijson.ReasonType, 1},
		{"big key for any", "611809010000000000000000" + "0301", into[map[any]int], minijson.ReasonType, 1},
		{"pointer as key", "610301" + "0301", into[map[*int]int], minijson.ReasonType, 1},
		{"list key", "6140" + "0301", into[map[any]int], minijson.ReasonKey, 1},
		{"list key of a struct", "6140" + "0301", into[position], minijson.ReasonKey, 1},
		{"list key of pairs", "6140" + "0301", into[minijson.Map], minijson.ReasonKey, 1},
		{"interface with methods", "0301", into[error], minijson.ReasonType, 0},
		{"embedded pointer that cannot be set", "5101480301", into[struct{ *hidden }], minijson.ReasonType, 1},
		{"channel", "0301", into[chan int], minijson.ReasonType, 0},
		{"time", "0301", into[time.Time], minijson.ReasonType, 0},
		{"pointer to itself", "0301", into[pointerToItself], minijson.ReasonType, 0},
		{"unmarshaler that fails", "41093f800000", into[[]rawLength], minijson.ReasonMethod, 1},
		{"invalid UTF-8 in a field", "5104" + "6e616d65" + "81ff", into[struct {
			N string `json:"name"`
		}], minijson.ReasonUTF8, 6},
		{"invalid UTF-8 in a skipped key", "5101ff08", into[position], minijson.ReasonUTF8, 1},
		{"invalid UTF-8 in a skipped value", "51017a4181ff", into[position], minijson.ReasonUTF8, 4},
		{"unknown tag in a skipped value", "51017a41" + "1c", into[position], minijson.ReasonUnknownTag, 4},
		{"list as key in a skipped value", "51017a614008", into[position], minijson.ReasonKey, 4},
		{"truncated skipped value", "51017a42" + "08", into[position], minijson.ReasonTruncated, 3},
		{"truncated", "0108", into[any], minijson.ReasonTruncated, 0},
		{"trailing after a list", "4008", into[[]int], minijson.ReasonTrailing, 1},
		{"trailing after raw", "0808", into[minijson.RawValue], minijson.ReasonTrailing, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := fromHex(t, tt.hex)
			_, err := tt.into(b)
			e := wantDecodingError(t, err)
			if e.Reason != tt.reason || e.Offset != tt.offset || e.Tag != b[e.Offset] {
				t.Errorf("got %v, want %q at offset %d", err, tt.reason, tt.offset)
			}
		})
	}
}

// TestUnmarshalTarget: what cannot be decoded into is told before the input is looked at.
func TestUnmarshalTarget(t *testing.T) {
	t.Parallel()
	for _, v := range []any{nil, 1, "a", position{}, (*int)(nil), (*any)(nil), map[string]any{}} {
		err := minijson.Unmarshal([]byte{8}, v)
		if !errors.Is(err, minijson.ErrTarget) || !errors.Is(err, minijson.Err) || !errors.Is(err, errkit.Invalid) {
			t.Errorf("%T: %v", v, err)
		}
	}
}

// TestUnmarshalKeeps: what the target has already stays, unless the document says otherwise.
func TestUnmarshalKeeps(t *testing.T) {
	t.Parallel()
	type target struct {
		Kept    int
		Map     map[string]any
		Texts   map[string]string
		Numbers map[int]int
		Pointer *position
		Slice   []position
	}
	alt := 1
	v := target{
		Kept: 1, Map: map[string]any{"a": 1}, Texts: map[string]string{"a": "1"}, Numbers: map[int]int{1: 1},
		Pointer: &position{Lat: 1}, Slice: []position{{Lat: 1, Alt: &alt}, {Lat: 2}},
	}
	pos := v.Pointer
	b, err := minijson.Marshal(map[string]any{
		"Map": map[string]any{"b": 2}, "Texts": map[string]any{"b": "2"}, "Numbers": map[int]int{2: 2},
		"Pointer": map[string]any{"lon": 2}, "Slice": []any{map[string]any{"lon": 3}}, "Kept": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := (minijson.DecodeOptions{DisallowDuplicateKeys: true}).Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	want := target{
		Kept: 1, Map: map[string]any{"a": 1, "b": int64(2)}, Texts: map[string]string{"a": "1", "b": "2"},
		Numbers: map[int]int{1: 1, 2: 2}, Pointer: &position{Lat: 1, Lon: 2}, Slice: []position{{Lon: 3}},
	}
	if d := cmp.Diff(want, v); d != "" {
		t.Errorf("value (-want +got):\n%s", d)
	}
	if v.Pointer != pos {
		t.Error("the pointer leads elsewhere")
	}
}

// TestUnmarshalShares: nothing that was decoded changes with the input.
func TestUnmarshalShares(t *testing.T) {
	t.Parallel()
	doc, err := minijson.Marshal(map[string]any{"key": "text", "bytes": []byte("bytes"), "list": []any{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	var v, again any
	var raw minijson.RawValue
	for _, p := range []any{&v, &again, &raw} {
		if err := minijson.Unmarshal(doc, p); err != nil {
			t.Fatal(err)
		}
	}
	clear(doc)
	if d := cmp.Diff(again, v); d != "" || v.(map[string]any)["key"] != "text" || raw[0] == 0 {
		t.Errorf("changed: %v, %x", v, raw)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	b := fromHex(t, "52016103010162810a"+"08"+"ff")
	for _, want := range []struct {
		v any
		n int
	}{{map[string]any{"a": int64(1), "b": "\n"}, 9}, {nil, 1}} {
		v, n, err := minijson.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want.v, v); d != "" || n != want.n {
			t.Errorf("%d bytes, want %d; value (-want +got):\n%s", n, want.n, d)
		}
		b = b[n:]
	}
	v, n, err := minijson.Parse(b)
	wantDecodingError(t, err)
	if v != nil || n != 0 {
		t.Errorf("got %v and %d with an error", v, n)
	}
}

func TestKeysKeepTheirKind(t *testing.T) {
	t.Parallel()
	b := fromHex(t, "67"+"0301"+"08"+"093f80000008"+"1608"+"0900000000"+"08"+"0980000000"+"16"+"097fc0000008"+"097fc0000008")
	v, _, err := minijson.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	want := minijson.Map{
		{int64(1), nil}, {1.0, nil}, {true, nil}, {0.0, true}, {math.NaN(), nil}, {math.NaN(), nil},
	}
	if d := diff(want, v); d != "" {
		t.Errorf("value (-want +got):\n%s", d)
	}
}

// TestManyPairs: maps with many keys of all kinds know their keys, too.
func TestManyPairs(t *testing.T) {
	t.Parallel()
	var want minijson.Map
	for i := range 20 {
		big := new(big.Int).Lsh(big.NewInt(1), uint(70+i))
		for _, key := range []any{int64(i), float64(i), []byte{byte(i)}, big, strings.Repeat("a", i)} {
			want = append(want, minijson.Pair{Key: key, Value: int64(i)})
		}
	}
	doc, err := minijson.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	strict := minijson.DecodeOptions{DisallowDuplicateKeys: true}
	got, _, err := strict.Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(want, got); d != "" {
		t.Errorf("value (-want +got):\n%s", d)
	}
	twice := append([]byte{doc[0], 2 * doc[1]}, doc[2:]...)
	twice = append(twice, doc[2:]...)
	if got, _, err = minijson.Parse(twice); err != nil {
		t.Fatal(err)
	}
	if d := diff(want, got); d != "" {
		t.Errorf("every key twice (-want +got):\n%s", d)
	}
	_, _, err = strict.Parse(twice)
	if e := wantDecodingError(t, err); e.Reason != minijson.ReasonDuplicateKey || e.Offset != int64(len(doc)) {
		t.Error(err)
	}
}

// TestAtOnce: several goroutines may be the first to use a type.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	type node struct {
		Next  *node            `minijson:"next,omitempty"`
		Nodes map[string]*node `minijson:"nodes,omitempty"`
		List  []node           `minijson:"list,omitempty"`
	}
	want := node{Next: &node{}, Nodes: map[string]*node{"a": {}}, List: []node{{}}}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			b, err := minijson.Marshal(want)
			if err != nil {
				t.Error(err)
				return
			}
			var got node
			if err := minijson.Unmarshal(b, &got); err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("value (-want +got):\n%s", d)
			}
		})
	}
	group.Wait()
}
