package value_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

var huge = new(big.Int).Lsh(big.NewInt(1), 2000)

// bad stands for an error of reason type.
type bad struct{}

func TestCoerce(t *testing.T) {
	t.Parallel()
	inf, nan := math.Inf(1), math.NaN()
	for _, test := range []struct {
		in               any
		b, w, s, f, d, u any // as B, W, w, f, d, u
	}{
		{nil, bad{}, bad{}, bad{}, bad{}, bad{}, bad{}},
		{[]byte("1"), bad{}, bad{}, bad{}, bad{}, bad{}, bad{}},
		{[]any{1}, bad{}, bad{}, bad{}, bad{}, bad{}, bad{}},
		{struct{}{}, bad{}, bad{}, bad{}, bad{}, bad{}, bad{}},
		{(*big.Int)(nil), bad{}, bad{}, bad{}, bad{}, bad{}, bad{}},
		{true, true, int64(1), int64(1), 1.0, 1.0, "True"},
		{false, false, int64(0), int64(0), 0.0, 0.0, "False"},
		{int64(7), true, int64(7), int64(7), 7.0, 7.0, "7"},
		{int64(-1), true, int64(0), int64(-1), -1.0, -1.0, "-1"},
		{int64(65535), true, int64(65535), int64(32767), 65535.0, 65535.0, "65535"},
		{int64(65536), true, int64(65535), int64(32767), 65536.0, 65536.0, "65536"},
		{int64(-32769), true, int64(0), int64(-32768), -32769.0, -32769.0, "-32769"},
		{int64(16777217), true, int64(65535), int64(32767), 16777216.0, 16777217.0, "16777217"},
		{int(7), true, int64(7), int64(7), 7.0, 7.0, "7"},
		{int8(-7), true, int64(0), int64(-7), -7.0, -7.0, "-7"},
		{int16(7), true, int64(7), int64(7), 7.0, 7.0, "7"},
		{int32(7), true, int64(7), int64(7), 7.0, 7.0, "7"},
		{uint(7), true, int64(7), int64(7), 7.0, 7.0, "7"},
		{uint8(7), true, int64(7), int64(7), 7.0, 7.0, "7"},
		{uint16(7), true, int64(7), int64(7), 7.0, 7.0, "7"},
		{uint32(7), true, int64(7), int64(7), 7.0, 7.0, "7"},
		{uint64(math.MaxUint64), true, int64(65535), int64(32767), 18446744073709551616.0, 18446744073709551616.0, "18446744073709551615"},
		{big.NewInt(7), true, int64(7), int64(7), 7.0, 7.0, "7"},
		{huge, true, int64(65535), int64(32767), bad{}, bad{}, bad{}},
		{new(big.Int).Neg(huge), true, int64(0), int64(-32768), bad{}, bad{}, bad{}},
		{2.9, true, int64(2), int64(2), float64(float32(2.9)), 2.9, "2.9"},
		{-2.9, true, int64(0), int64(-2), float64(float32(-2.9)), -2.9, "-2.9"},
		{0.9, false, int64(0), int64(0), float64(float32(0.9)), 0.9, "0.9"},
		{float32(0.5), false, int64(0), int64(0), 0.5, 0.5, "0.5"},
		{1e300, true, int64(65535), int64(32767), bad{}, 1e300, "1e+300"},
		{-1e300, true, int64(0), int64(-32768), bad{}, -1e300, "-1e+300"},
		{1e16, true, int64(65535), int64(32767), float64(float32(1e16)), 1e16, "1e+16"},
		{1e15, true, int64(65535), int64(32767), float64(float32(1e15)), 1e15, "1000000000000000.0"},
		{0.0001, false, int64(0), int64(0), float64(float32(0.0001)), 0.0001, "0.0001"},
		{0.00001, false, int64(0), int64(0), float64(float32(0.00001)), 0.00001, "1e-05"},
		{nan, bad{}, bad{}, bad{}, nan, nan, "nan"},
		{inf, bad{}, bad{}, bad{}, inf, inf, "inf"},
		{-inf, bad{}, bad{}, bad{}, -inf, -inf, "-inf"},
		{"3", true, int64(3), int64(3), 3.0, 3.0, "3"},
		{" -3\n", true, int64(0), int64(-3), -3.0, -3.0, " -3\n"},
		{"+1_000", true, int64(1000), int64(1000), 1000.0, 1000.0, "+1_000"},
		{"3.5", bad{}, bad{}, bad{}, 3.5, 3.5, "3.5"},
		{"1e3", bad{}, bad{}, bad{}, 1000.0, 1000.0, "1e3"},
		{".5", bad{}, bad{}, bad{}, 0.5, 0.5, ".5"},
		{"5.", bad{}, bad{}, bad{}, 5.0, 5.0, "5."},
		{"-Infinity", bad{}, bad{}, bad{}, -inf, -inf, "-Infinity"},
		{"1e999", bad{}, bad{}, bad{}, inf, inf, "1e999"},
		{"99999999999999999999", true, int64(65535), int64(32767), float64(float32(1e20)), 1e20, "99999999999999999999"},
		{"-99999999999999999999", true, int64(0), int64(-32768), float64(float32(-1e20)), -1e20, "-99999999999999999999"},
		{"", bad{}, bad{}, bad{}, bad{}, bad{}, ""},
		{"abc", bad{}, bad{}, bad{}, bad{}, bad{}, "abc"},
		{"0x10", bad{}, bad{}, bad{}, bad{}, bad{}, "0x10"},
		{"1__0", bad{}, bad{}, bad{}, bad{}, bad{}, "1__0"},
		{"_1", bad{}, bad{}, bad{}, bad{}, bad{}, "_1"},
		{"1_", bad{}, bad{}, bad{}, bad{}, bad{}, "1_"},
		{"1e", bad{}, bad{}, bad{}, bad{}, bad{}, "1e"},
		{".", bad{}, bad{}, bad{}, bad{}, bad{}, "."},
		{"--1", bad{}, bad{}, bad{}, bad{}, bad{}, "--1"},
		{"True", bad{}, bad{}, bad{}, bad{}, bad{}, "True"},
		{strings.Repeat("x", 1000), bad{}, bad{}, bad{}, bad{}, bad{}, strings.Repeat("x", 1000)},
	} {
		for i, want := range []any{test.b, test.w, test.s, test.f, test.d, test.u} {
			typ := value.Type("BWwfdu"[i])
			got, err := typ.Coerce(test.in)
			if err != nil {
				checkFault(t, err)
				got = bad{}
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("%.40v as %v (-want +got):\n%s", test.in, typ, diff)
			}
		}
	}
	if _, err := value.Type('x').Coerce(1); err == nil {
		t.Error("there is no type x")
	}
}

func checkFault(t *testing.T, err error) {
	t.Helper()
	failed, ok := errors.AsType[*smokerr.OperationFailedError](err)
	if !ok || failed.Reason != smokerr.ReasonType || !errors.Is(err, smokerr.ErrType) || errkit.Transient(err) {
		t.Errorf("%v: want an OperationFailedError of reason type", err)
	}
	if len(err.Error()) > 200 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, want any }{
		{true, true},
		{7, int64(7)},
		{uint16(7), int64(7)},
		{uint64(1 << 63), bad{}},
		{huge, bad{}},
		{float32(0.5), 0.5},
		{"3", "3"},
		{nil, bad{}},
		{[]byte{}, bad{}},
	} {
		got, err := value.Canonical(test.in)
		if err != nil {
			checkFault(t, err)
			got = bad{}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%.40v (-want +got):\n%s", test.in, diff)
		}
	}
}

func TestParseInt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 308) // 1024 bits
	for text, want := range map[string]string{
		"0": "0", " -12 ": "-12", "+1_000": "1000", "99999999999999999999": "99999999999999999999", long: long,
		"": "", "-": "", "+-1": "", "1.0": "", "0x1": "", "1__0": "", "a": "", long + "9": "", strings.Repeat("1", 5000): "",
	} {
		got, err := value.ParseInt(text)
		if (err != nil) != (want == "") || err == nil && got.String() != want {
			t.Errorf("%.20q is %v, %v", text, got, err)
		}
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1795326769000)
	if err := (value.Sample{Time: at, Value: int64(7)}).Err("W1"); err != nil {
		t.Errorf("a good reading has the error %v", err)
	}
	err := value.Sample{Time: at, Reason: smokerr.ReasonTimeout}.Err("W1")
	failed, ok := errors.AsType[*smokerr.OperationFailedError](err)
	if !ok || failed.Target != "W1" || !failed.Time.Equal(at) || !errors.Is(err, errkit.Timeout) {
		t.Errorf("got %v", err)
	}
}

// FuzzCoerce checks that whatever text a peer sends becomes a value of its type or an error, and that the text of a
// value reads back as that value.
func FuzzCoerce(f *testing.F) {
	for _, s := range []string{"", "3", "-3.5", "1e400", "0x1p3", "1_0", "nan", "+inf", " 7 ", "99999999999999999999999", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, typ := range []value.Type{value.Bool, value.Uint16, value.Int16, value.Float32, value.Float64, value.String} {
			v, err := typ.Coerce(s)
			if err != nil {
				checkFault(t, err)
				continue
			}
			again, err := typ.Coerce(v)
			if err != nil || !cmp.Equal(v, again, cmpopts.EquateNaNs()) {
				t.Fatalf("%v of %q is %v, and of that %v, %v", typ, s, v, again, err)
			}
			if typ == value.Bool {
				continue // its text is a word
			}
			written, err := value.String.Coerce(v)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := typ.Coerce(written); err != nil || !cmp.Equal(v, back, cmpopts.EquateNaNs()) {
				t.Fatalf("%v is written as %q and read as %v, %v", v, written, back, err)
			}
		}
	})
}

func BenchmarkCoerce(b *testing.B) {
	for _, test := range []struct {
		name string
		typ  value.Type
		in   any
	}{
		{"W/int64", value.Uint16, int64(4711)},
		{"f/float64", value.Float32, 0.5},
		{"d/float64", value.Float64, 21.375},
		{"W/float64", value.Uint16, 21.375},
		{"d/string", value.Float64, "21.375"},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := test.typ.Coerce(test.in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
