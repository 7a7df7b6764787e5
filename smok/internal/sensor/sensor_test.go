package sensor_test

import (
	"bufio"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/smok/internal/sensor"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

func TestFQTS(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a": "a", "b a": "a b", " a  b\t": "a b", "": "", "  ": "", "z Z 10 2": "10 2 Z z", "ż a": "a ż", "a a": "a a",
	} {
		got := sensor.FQTS(text)
		if got != want || sensor.FQTS(got) != got {
			t.Errorf("FQTS(%q) = %q, want %q", text, got, want)
		}
	}
	for _, test := range []struct {
		tags []string
		want string
	}{
		{nil, ""},
		{[]string{"outside", "temperature"}, "outside temperature"},
		{[]string{"temperature", "outside", "temperature"}, "outside temperature"},
		{[]string{"b a", " c "}, "a b c"},
	} {
		if got := sensor.FQTSOf(test.tags...); got != test.want {
			t.Errorf("FQTSOf(%q) = %q, want %q", test.tags, got, test.want)
		}
	}
}

// failure stands for an error of reason type.
type failure struct{}

func check(t *testing.T, v any, err error) any {
	t.Helper()
	if err == nil {
		return v
	}
	if !errors.Is(err, smokerr.ErrType) || !errors.Is(err, smokerr.ErrOperationFailed) {
		t.Errorf("%v is no failure of reason type", err)
	}
	return failure{}
}

func TestToSensor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typ      string
		in, want any
	}{
		{"std.Number10", int64(215), 21.5},
		{"std.Number10", int64(3), 0.3}, // 0.30000000000000004 before it is rounded
		{"std.Number100", int64(2155), 21.55},
		{"std.Number100", 21.5, 0.21},
		{"frisko.DayOfWeek", int64(1), int64(0)},
		{"frisko.DayOfWeek", 1.0, 0.0},
		{"std.Number", int64(5), int64(5)},
		{"std.Number", 2.675, 2.67}, // which is less than 2.675 in binary
		{"std.Number", 0.125, 0.12},
		{"std.Number", 0.375, 0.38},
		{"std.Number", true, int64(1)},
		{"std.Number", uint16(7), int64(7)},
		{"anything", 1.239, 1.24},
		{"", 1.239, 1.24},
		{"std.Number(precision=1, multiplier=0.5)", int64(5), 2.5},
		{"std.Number(1, 0.5)", int64(5), 2.5},
		{"std.Number(0,multiplier=2,offset=-3)", int64(5), int64(7)},
		{"std.Number( precision = 0 , offset=.5 , )", int64(2), 2.0}, // 2.5, to even
		{"std.Number(precision=-1)", int64(25), int64(20)},
		{"std.Number(precision=-1)", int64(35), int64(40)},
		{"std.Number(precision=-1)", int64(-25), int64(-20)},
		{"std.Number(precision=-2)", 1250.5, 1300.0},
		{"std.Number(precision=-30)", int64(25), int64(0)},
		{"std.Number(precision=-19)", int64(math.MaxInt64), 1e19},
		{"std.Number(multiplier=0x10, color='red, or \"blue\"', hidden=True, unit=None)", int64(2), int64(32)},
		{"std.Number(multiplier=True)", int64(2), int64(2)},
		{"std.Number(multiplier=1_000)", int64(2), int64(2000)},
		{"std.Number(multiplier=1e3)", int64(2), 2000.0},
		{"std.Number(multiplier=4)", int64(math.MaxInt64), 4 * float64(math.MaxInt64)},
		{"std.Number(multiplier=-1)", int64(math.MinInt64), -float64(math.MinInt64)},
		{"std.Number(precision=-308, multiplier=1.7)", 1e308, failure{}},
		{"std.Number()", 1.239, 1.24},
		{"std.Number", math.NaN(), math.NaN()},
		{"std.Number", math.Inf(-1), math.Inf(-1)},
		{"std.Number", "5", failure{}},
		{"std.Number", nil, failure{}},
		{"std.Unicode", "text", "text"},
		{"std.Unicode", int64(5), "5"},
		{"std.Unicode", 5.0, "5.0"},
		{"std.Unicode", true, "True"},
		{"std.Unicode", nil, failure{}},
	} {
		typ, err := sensor.ParseType(test.typ)
		if err != nil {
			t.Errorf("%s: %v", test.typ, err)
			continue
		}
		got, err := typ.ToSensor(test.in)
		if diff := cmp.Diff(test.want, check(t, got, err), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s of %v (-want +got):\n%s", test.typ, test.in, diff)
		}
	}
}

func TestToPathpoint(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typ   string
		in    any
		first value.Type
		want  any
	}{
		{"std.Number10", 0.3, value.Uint16, int64(3)}, // 2.9999999999999996: the original writes 2
		{"std.Number10", 21.5, value.Uint16, int64(215)},
		{"std.Number10", -21.5, value.Uint16, int64(0)},
		{"std.Number10", -21.5, value.Int16, int64(-215)},
		{"std.Number10", 9999.0, value.Int16, int64(32767)},
		{"std.Number10", 21.5, value.Float64, 215.0},
		{"std.Number100", 0.29, value.Uint16, int64(29)},
		{"std.Number100", 0.29, value.Float32, float64(float32(28.999999999999996))},
		{"frisko.DayOfWeek", int64(0), value.Uint16, int64(1)},
		{"std.Number(multiplier=2,offset=1)", int64(6), value.Uint16, int64(2)}, // 2.5, to even
		{"std.Number(multiplier=2,offset=1)", int64(8), value.Uint16, int64(4)},
		{"std.Number", 0.6, value.Bool, true},
		{"std.Number", 0.4, value.Bool, false},
		{"std.Number", true, value.Bool, true},
		{"std.Number", int64(7), value.String, "7.0"},
		{"std.Number(multiplier=0)", int64(7), value.Uint16, failure{}},
		{"std.Number(multiplier=0.0)", int64(7), value.Float64, failure{}},
		{"std.Number", math.NaN(), value.Uint16, failure{}},
		{"std.Number", math.NaN(), value.Float64, math.NaN()},
		{"std.Number(multiplier=1e-300)", 1e300, value.Uint16, failure{}},
		{"std.Number", "7", value.Uint16, failure{}},
		{"std.Number", nil, value.Uint16, failure{}},
		{"std.Unicode", "7", value.Uint16, int64(7)},
		{"std.Unicode", "seven", value.Uint16, failure{}},
		{"std.Unicode", "seven", value.String, "seven"},
		{"std.Unicode", int64(7), value.String, "7"},
		{"std.Unicode", nil, value.String, failure{}},
	} {
		typ, err := sensor.ParseType(test.typ)
		if err != nil {
			t.Errorf("%s: %v", test.typ, err)
			continue
		}
		got, err := typ.ToPathpoint(test.in, test.first)
		if diff := cmp.Diff(test.want, check(t, got, err), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s of %v for %v (-want +got):\n%s", test.typ, test.in, test.first, diff)
		}
	}
}

// TestEveryRegisterComesBack: what a sensor shows of a register, written again, is that register.
func TestEveryRegisterComesBack(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"std.Number10", "std.Number100", "frisko.DayOfWeek", "std.Number", "std.Unicode", "x(3,0.001,-40)"} {
		typ, err := sensor.ParseType(name)
		if err != nil {
			t.Fatal(err)
		}
		for n := range int64(65536) {
			shown, err := typ.ToSensor(n)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := typ.ToPathpoint(shown, value.Uint16); err != nil || back != n {
				t.Fatalf("%s shows %v as %v and writes %v, %v", name, n, shown, back, err)
			}
		}
	}
}

func TestTypesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"std.Number(", "std.Number)(", "std.Number(1", "(1)", " (1)", "std.Number(1)x", "std.Number(1))",
		"std.Number(precision=1.5)", "std.Number(precision=None)", "std.Number(precision='1')", "std.Number(precision=1000)",
		"std.Number(multiplier='1')", "std.Number(multiplier=None)", "std.Number(offset=[])", "std.Number(offset=)",
		"std.Number(1,2,3,4)", "std.Number(multiplier=1,2)", "std.Number(1,precision=1)", "std.Number(offset=1,offset=1)",
		"std.Number(,)", "std.Number(1,,2)", "std.Number(x='a)", `std.Number(x='\'')`, "std.Number(x=1+1)", "std.Number(x=y)",
		"std.Number(__import__('os').system('x'))", "std.Number(multiplier=open('x'))", "std.Number(1 2)", "std.Number(a b=1)",
		"std.Number(multiplier=inf)", "std.Number(multiplier=nan)", "std.Number(multiplier=0x)", "std.Number(multiplier=+-1)",
		"std.Number(x='" + strings.Repeat("a", 5000) + "')",
	} {
		if _, err := sensor.ParseType(name); !errors.Is(err, smokerr.ErrInvalidArgument) {
			t.Errorf("%.60s: %v", name, err)
		}
	}
}

// TestRoundAgainstPython compares with what CPython 3 returned for round(float, digits).
func TestRoundAgainstPython(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/round.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); n++ {
		fields := strings.Split(lines.Text(), "\t")
		f, err1 := strconv.ParseFloat(fields[0], 64)
		digits, err2 := strconv.Atoi(fields[1])
		want, err3 := strconv.ParseFloat(fields[2], 64)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		got := sensor.Round(f, digits)
		if math.IsInf(want, 0) {
			want = math.Copysign(want, f)
		}
		if got != want || math.Signbit(got) != math.Signbit(want) {
			t.Errorf("Round(%v, %d) = %v, want %v", f, digits, got, want)
		}
	}
	if n < 1000 {
		t.Errorf("only %d lines", n)
	}
}

func FuzzParseType(f *testing.F) {
	for _, name := range []string{
		"std.Number10", "std.Unicode", "std.Number(precision=1, multiplier=0.5)", "x(1,2,-3)", "x(a='b,c',offset=0x1F,)",
		"x(multiplier=1e400)", "x(precision=-400,multiplier=1_0)",
	} {
		f.Add(name, 21.5, int64(7))
	}
	f.Fuzz(func(t *testing.T, name string, d float64, n int64) {
		typ, err := sensor.ParseType(name)
		if err != nil {
			if !errors.Is(err, smokerr.ErrInvalidArgument) {
				t.Fatal(err)
			}
			return
		}
		for _, v := range []any{d, n, "x"} {
			_ = check(t, v, second(typ.ToSensor(v)))
			for _, first := range []value.Type{value.Bool, value.Uint16, value.Float32, value.String} {
				_ = check(t, v, second(typ.ToPathpoint(v, first)))
			}
		}
	})
}

func second(_ any, err error) error { return err }

func BenchmarkConvert(b *testing.B) {
	typ, err := sensor.ParseType("std.Number10")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("ToSensor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := typ.ToSensor(int64(215)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ToPathpoint", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := typ.ToPathpoint(21.5, value.Uint16); err != nil {
				b.Fatal(err)
			}
		}
	})
}
