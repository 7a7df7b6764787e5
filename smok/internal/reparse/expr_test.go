package reparse_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/smok/internal/reparse"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

func TestCompile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		typ   value.Type
		paths []string
	}{
		{"rW{W1r4002}+{W1r4002}", value.Uint16, []string{"W1r4002", "W1r4002"}},
		{"rf{Babc}+12+{def}", value.Float32, []string{"Babc", "def"}},
		{"rd{rW{W1}+1}*2", value.Float64, []string{"rW{W1}+1"}},
		{"ru'{W1}'", value.String, []string{"W1"}},
		{"rB{W1} if {W2} else {W3}", value.Bool, []string{"W1", "W2", "W3"}},
	} {
		x, err := reparse.Compile(test.name, nil)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if x.Type() != test.typ || x.Name() != test.name || !cmp.Equal(test.paths, x.Paths()) {
			t.Errorf("%s: %s of type %v, %v", test.name, x.Name(), x.Type(), x.Paths())
		}
	}
}

func TestWhatDoesNotCompile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", "r", "rW", "rx{W1}", "W1", "rr{W1}", "rW1", "rW1+2", // no pathpoint
		"rW{}", "rW{W1}+{}", "rW{x1}", "rW{r}", // no pathpoint in braces
		"rW{W1", "rW{W1}+{", "rW{{W1}", "rW{W1}}", "rW}{W1}",
		"rW{W1}+", "rW+", "rW{W1} {W2}", "rW({W1}", "rW{W1})", "rW({W1},2)", "rW()+{W1}", "rWmin({W1} 2)", "rWmin(,{W1})",
		"rW{W1}=1", "rW{W1}!1", "rW{W1}<>1", "rW{W1}[0]", "rW{W1}.real", "rW{W1};1", "rW{W1}#", "rW{W1}@1", "rW{W1}$",
		"rW{W1} is 1", "rW{W1} in 1", "rWlambda:{W1}", "rW[{W1}]", "rW{W1}if 1", "rW{W1} if 1", "rW{W1}+not 1", "rW{W1}:=1",
		"rW{W1}+012", "rW{W1}+0x", "rW{W1}+1a", "rW{W1}+1.2.3", "rW{W1}+1__0", "rW{W1}+1_", "rW{W1}+1e", "rW{W1}+1j", "rW{W1}+0xp1",
		"rW{W1}+'a", `rW{W1}+"a'`, `rW{W1}+'\`, `rW{W1}+'\q'`, "rW{W1}+'\n'",
		"rW{W1}\xff",
		"rW{W1}+__import__('os').system('x')", "rWeval('1').x+{W1}", "rW{W1}.__class__",
		"rW{W1}+" + strings.Repeat("(", 100) + "1" + strings.Repeat(")", 100),
		"rW" + strings.Repeat("-", 1000) + "{W1}",
		"rW" + strings.Repeat("not ", 1000) + "{W1}",
		"rW{W1}" + strings.Repeat("**1", 1000),
		"rW{W1}" + strings.Repeat(" if 1 else 1", 300),
		"rW" + strings.Repeat("{", 100) + "W1" + strings.Repeat("}", 100),
		"rW{W1}+" + strings.Repeat("1", 4096),
		"rW{W1}+" + strings.Repeat("9", 2000),
	} {
		x, err := reparse.Compile(name, nil)
		if err == nil {
			t.Errorf("%.60q compiles to %v", name, x.Paths())
			continue
		}
		if !errors.Is(err, smokerr.ErrInvalidArgument) {
			t.Errorf("%.60q: %v", name, err)
		}
	}
}

// eval computes a name whose pathpoints have these values, in the order of their appearance.
func eval(t *testing.T, opts *reparse.Options, name string, values ...any) any {
	t.Helper()
	x, err := reparse.Compile(name, opts)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	got, err := x.Eval(values)
	if err != nil {
		failed, ok := errors.AsType[*smokerr.OperationFailedError](err)
		if !ok || failed.Reason != smokerr.ReasonType || failed.Target != name {
			t.Errorf("%s: %v is no failure of reason type", name, err)
		}
		return failure{}
	}
	return got
}

type failure struct{}

var near = cmpopts.EquateApprox(0, 0.0005)

func TestEval(t *testing.T) {
	t.Parallel()
	inf, nan := math.Inf(1), math.NaN()
	for _, test := range []struct {
		name   string
		values []any
		want   any
	}{
		{"rW{W1}//2 if {W1}>2 else 0", []any{7, 7}, int64(3)},
		{"rW{W1}//2 if {W1}>2 else 0", []any{2, 2}, int64(0)},
		{"rW{W1}+{W2}", []any{1, 2}, int64(3)},
		{"rW{W1}+{W2}", []any{65535, 2}, int64(65537)}, // not coerced
		{"rW{W1}/{W2}", []any{6, 2}, 3.0},
		{"rW-{W1}//{W2}", []any{7, 2}, int64(-4)},
		{"rW-{W1}%{W2}", []any{7, 3}, int64(2)},
		{"rW{W1}%-3", []any{7}, int64(-2)},
		{"rd{d1}%{d2}", []any{-7.5, 2.0}, 0.5},
		{"rd{d1}//{d2}", []any{-7.5, 2.0}, -4.0},
		{"rd-{W1}**2", []any{3}, int64(-9)},
		{"rd2**-{W1}", []any{2}, 0.25},
		{"rd2**3**{W1}", []any{2}, int64(512)},
		{"rB1<{W1}<3", []any{2}, true},
		{"rB1<{W1}<3<1/0", []any{3}, false}, // the rest is not looked at
		{"rB{B1}+{B2}", []any{true, true}, int64(2)},
		{"rB{B1}&{B2}", []any{true, false}, false},
		{"rB{B1}|2", []any{true}, int64(3)},
		{"rB not {W1}", []any{0}, true},
		{"rW{W1} or 5", []any{0}, int64(5)},
		{"rW{W1} and 5", []any{0}, int64(0)},
		{"ru{u1}+'!'", []any{"hi"}, "hi!"},
		{"ru{u1}+{W1}", []any{"hi", 1}, failure{}},
		{"ru{u1}*3", []any{"hi"}, failure{}},
		{"ru'{W1}'", []any{1}, "v0"}, // names are replaced wherever they are, as in the original
		{"rWv0+{W1}", []any{4}, int64(8)},
		{"rWv1+{W1}", []any{4}, failure{}},
		{"rWv00+{W1}", []any{4}, failure{}},
		{"rW{W1}1", []any{4}, failure{}},                    // v01
		{"rW{W1}if{W2}else{W3}", []any{1, 1, 1}, failure{}}, // v0ifv1elsev2
		{"rW{W1} or nobody", []any{4}, int64(4)},
		{"rW{W1} or nobody", []any{0}, failure{}},
		{"rW{W1} or nobody(1)", []any{0}, failure{}},
		{"rWeval('1')+{W1}", []any{0}, failure{}},
		{"rWnegz({W1},1)", []any{0}, failure{}},
		{"rWD({W1})", []any{0}, failure{}},
		{"rWmin({W1})", []any{0}, failure{}},
		{"rWint()+float()+bool()+{W1}", []any{1}, 1.0},
		{"rW{W1}/0", []any{1}, failure{}},
		{"rW{W1}//0", []any{1}, failure{}},
		{"rW{W1}%0.0", []any{1}, failure{}},
		{"rW0**-{W1}", []any{1}, failure{}},
		{"rd0.0**-{W1}", []any{1}, failure{}},
		{"rd(-{W1})**0.5", []any{1}, failure{}},
		{"rd10.0**{W1}", []any{400}, failure{}},
		{"rdNone if {W1} else 0", []any{1}, failure{}},
		{"rB None==None!={W1}", []any{1}, true},
		{"rB{u1}==1", []any{"1"}, false},
		{"rB{u1}<1", []any{"1"}, failure{}},
		{"rB{d1}=={d1}", []any{nan, nan}, false},
		{"rB{d1}!=1", []any{nan}, true},
		{"rB{d1}>{W1}", []any{inf, 1}, true},
		{"rB9007199254740993=={d1}", []any{9007199254740992.0}, false}, // exactly
		{"rW{W1}<<{W2}", []any{1, 62}, int64(1 << 62)},
		{"rW{W1}<<{W2}>>10", []any{1, 70}, int64(1 << 60)},
		{"rW{W1}<<{W2}", []any{1, 63}, failure{}}, // no value of a pathpoint
		{"rW{W1}<<{W2}", []any{1, -1}, failure{}},
		{"rW{W1}>>{W2}", []any{-5, 100000}, int64(-1)},
		{"rW{W1}<<1.0", []any{1}, failure{}},
		{"rW~{W1}", []any{5}, int64(-6)},
		{"rd(({W1}<<48)+({W2}<<32)+({W3}<<16)+{W4})*0.5", []any{65535, 65535, 65535, 65535}, 9223372036854775808.0},
		{"rW9223372036854775807+{W1}-{W2}", []any{1, 1}, int64(math.MaxInt64)},
		{"rW-9223372036854775807-{W1}+{W2}", []any{2, 2}, int64(-math.MaxInt64)},
		{"rW9223372036854775807*{W1}//{W2}", []any{4, 8}, int64(math.MaxInt64 / 2)},
		{"rW(-9223372036854775807-1)//-{W1}-1", []any{1}, int64(math.MaxInt64)},
		{"rW3**{W1}%1000", []any{200}, int64(1)},
		{"rd{W1}/{W2}", []any{int64(math.MaxInt64), int64(math.MaxInt64 - 1)}, 1.0},
		{"rW-1**{W1}", []any{5}, int64(-1)},
		{"rW(-1)**{W1}", []any{int64(math.MaxInt64)}, int64(-1)},
		{"rW1**{W1}", []any{int64(math.MaxInt64)}, int64(1)},
		{"rW0**{W1}", []any{int64(math.MaxInt64)}, int64(0)},
		{"rWint('-12')+{W1}", []any{0}, int64(-12)},
		{"rWint('1.5')+{W1}", []any{0}, failure{}},
		{"rWint({d1})", []any{-2.9}, int64(-2)},
		{"rWint({d1})", []any{nan}, failure{}},
		{"rWint({d1})>>10", []any{1e20}, int64(97656250000000000)},
		{"rdfloat({u1})", []any{"1e3"}, 1000.0},
		{"rustr({d1})+str({W1})+str({B1})+str(None)", []any{1.0, 5, true}, "1.05TrueNone"},
		{"rWmax({W1},{W2},3)", []any{1, 2}, int64(3)},
		{"rWmin({W1},0.5)", []any{1}, 0.5},
		{"rWmin({W1},{u1})", []any{1, "a"}, failure{}},
		{"ru'\\t\\'' + {u1}", []any{"x"}, "\t'x"},
		{"rW 0x1f + 0b11+0o17+1_000+{W1}", []any{0}, int64(0x1f + 3 + 15 + 1000)},
		{"rW{W1}+{W2}", []any{1}, failure{}},
		{"rW{W1}", []any{nil}, failure{}},
		{"rW{W1}", []any{[]byte{}}, failure{}},
	} {
		if diff := cmp.Diff(test.want, eval(t, nil, test.name, test.values...)); diff != "" {
			t.Errorf("%s of %v (-want +got):\n%s", test.name, test.values, diff)
		}
	}
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		values []any
		want   any
	}{
		{"rWD({W1},{W2})", []any{7, 10}, int64(3)},
		{"rWD({W1},{W2})", []any{10, 7}, int64(3)},
		{"rdd({W1},{W2})", []any{10, 7}, 0.3},
		{"rdd({W1},{W2})", []any{-10, 7}, 1.7},
		{"rdd({W1},{W2})", []any{0, 7}, failure{}},
		{"rdked({W1},{W2})", []any{19, 7}, int64(0)},
		{"rdked({W1},{W2})", []any{20, 15}, 0.25},
		{"rdhuba505({f1})", []any{3.5}, 4.0},
		{"rdhuba505({f1})", []any{0.5}, 0.0},
		{"rdhuba505({f1})", []any{0.4}, int64(0)},
		{"rdhuba505({f1})", []any{"x"}, failure{}},
		{"rWnegz({w1})", []any{-5}, int64(0)},
		{"rWnegz({w1})", []any{5}, int64(5)},
		{"rWnegz({w1})", []any{"x"}, failure{}},
		{"rfmkflt({W1},{W2})", []any{0x3F80, 0}, 1.0},
		{"rfmkflt({W1},{W2})", []any{0x3F80, 65536}, failure{}},
		{"rfmkflt({W1},{W2})", []any{-1, 0}, failure{}},
		{"rfmkflt({W1},{W2})", []any{1.0, 0}, failure{}},
		{"rdmkint32({W1},{W2})", []any{0xFFFF, 0xFFFE}, int64(-2)},
		{"rdmkint32({W1},{W2})", []any{0x7FFF, 0xFFFF}, int64(math.MaxInt32)},
		{"rdpt1000({W1})", []any{1000}, 0.0},
		{"rdpt1000({W1})", []any{1385}, 100.0},
		{"rdpt1000({W1})", []any{1400}, 103.968},
		{"rdpt1000({W1})", []any{1600}, 157.258},
		{"rdpt1000({W1})", []any{2000}, int64(250)},
		{"rdpt1000({d1})", []any{1958.4}, 250.0},
		{"rdpt1000({W1})", []any{800}, int64(-50)},
		{"rdpt1000({d1})", []any{803.1}, int64(-50)},
		{"rdpt1000({u1})", []any{"1000"}, failure{}},
		{"rdkty81({W1})", []any{1300}, -15.9016},
		{"rdkty81({W1})", []any{3200}, 100.857},
		{"rdkty81({W1})", []any{1500}, 0.0}, // on a point of the table, where the original has no answer
		{"rdkty81({W1})", []any{2000}, 30.0},
		{"rdkty81({W1})", []any{1136}, int64(-40)},
		{"rdkty81({W1})", []any{3276}, 94.4},
		{"rdkty81({W1})", []any{9999}, 94.4},
	} {
		if diff := cmp.Diff(test.want, eval(t, nil, test.name, test.values...), near); diff != "" {
			t.Errorf("%s of %v (-want +got):\n%s", test.name, test.values, diff)
		}
	}
	nan := eval(t, nil, "rdpt1000({d1})+kty81({d1})", math.NaN(), math.NaN())
	if f, ok := nan.(float64); !ok || !math.IsNaN(f) {
		t.Errorf("the temperature of no resistance is %v", nan)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	legacy := &reparse.Options{LegacyFloat: true}
	if got, want := eval(t, legacy, "rfmkflt({W1},{W2})", 0x3F80, 0), float64(math.Float32frombits(0x803F)); got != want {
		t.Errorf("mkflt as the original has it is %v, want %v", got, want)
	}
	coerce := &reparse.Options{Coerce: true}
	for _, test := range []struct {
		name  string
		value any
		want  any
	}{
		{"rW{W1}*2", 65535, int64(65535)},
		{"rB{W1}", 7, true},
		{"ru{W1}", 7, "7"},
		{"rW{W1}<<100", 1, int64(65535)},
		{"rd{W1}<<100", 1, math.Pow(2, 100)},
		{"rW{u1}", "x", failure{}},
		{"rWNone or {u1} and None", "x", failure{}},
	} {
		if diff := cmp.Diff(test.want, eval(t, coerce, test.name, test.value)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestBounds: whatever an expression asks for, it gets an answer that took little time and memory. They would be endless
// in Python.
func TestBounds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 60000)
	for _, test := range []struct {
		name   string
		values []any
	}{
		{"rd9**9**9**9+{W1}", []any{0}},
		{"rd{W1}**{W1}**{W1}", []any{65535, 65535, 65535}},
		{"rd1<<{W1}<<{W1}", []any{65535, 65535}},
		{"rd{d1}<<1", []any{int64(math.MaxInt64)}},
		{"rd(1<<{W1})*(1<<{W1})", []any{1000, 1000}},
		{"rd-(1<<{W1})*(1<<{W1})", []any{1000, 1000}},
		{"rd(1<<1024)+{W1}", []any{1}},
		{"ru" + strings.Repeat("{u1}+", 500) + "''", repeat(long, 500)},
		{"ruint('" + strings.Repeat("9", 3000) + "')+{W1}", []any{0}},
		{"rdint({u1})", []any{strings.Repeat("9", 100000)}},
		{"rdfloat(1<<1023)*{d1}/1e-300+(1<<1023<<1)", []any{1e300}},
		{"rd(1<<1023)*1.0/{d1}//(1<<1023)*(1<<1023<<1)", []any{1e-300}},
	} {
		if got := eval(t, nil, test.name, test.values...); got != (failure{}) {
			t.Errorf("%.60s gives %v", test.name, got)
		}
	}
	deep := "rd" + strings.Repeat("{W1}+", 800) + "0"
	if got := eval(t, nil, deep, repeat(1, 800)...); got != int64(800) {
		t.Errorf("a long sum gives %v", got)
	}
}

func repeat(v any, n int) []any {
	values := make([]any, n)
	for i := range values {
		values[i] = v
	}
	return values
}

func FuzzCompile(f *testing.F) {
	for _, name := range []string{
		"rW{W1r4002}+{W1r4002}", "rd9**9**9+{W1}", "rf{W1}//2 if {W1}>2 else 0", "ru'{W1}'+\"a\\n\"", "rB1<{W1}<=3!=4",
		"rdmkflt({W1},{W2})", "rd~-+not({W1})", "rWmin({W1},2,3.5)", "rd(1<<1000)%{W1}", "rd-7.5//{d1}", "rW{rW{W1}}",
		"rW0x1f+0b1+1_0.5e-3+{W1}", "rdkty81({W1})/pt1000({W2})", "rW{W1}&3|4^5>>1",
	} {
		f.Add(name, int64(7), 0.5, "12")
	}
	f.Fuzz(func(t *testing.T, name string, n int64, d float64, s string) {
		x, err := reparse.Compile(name, nil)
		if err != nil {
			if !errors.Is(err, smokerr.ErrInvalidArgument) {
				t.Fatal(err)
			}
			return
		}
		values := make([]any, len(x.Paths()))
		for i := range values {
			values[i] = []any{n, d, s, n&1 == 0}[i%4]
		}
		v, err := x.Eval(values)
		if err != nil {
			if !errors.Is(err, smokerr.ErrType) {
				t.Fatal(err)
			}
			return
		}
		switch v.(type) {
		case bool, int64, float64, string:
		default:
			t.Fatalf("%s gives %T", name, v)
		}
	})
}

func BenchmarkEval(b *testing.B) {
	for _, name := range []string{
		"rW{W1}+{W2}", "rd({W1}-{W2})*0.1", "rW{W1}//2 if {W2}>2 else 0", "rdmkflt({W1},{W2})", "rdpt1000({W1})+{W2}",
		"rW{W1}**2%{W2}", "rWmin({W1},{W2},7)", "rB1<{W1}<{W2} and not {W1}==5",
	} {
		b.Run(name, func(b *testing.B) {
			x, err := reparse.Compile(name, nil)
			if err != nil {
				b.Fatal(err)
			}
			args := make([]reparse.Value, len(x.Paths()))
			for i := range args {
				if args[i], err = reparse.Of(1234 + i); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := x.EvalValues(args); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reparse.Compile("rd(mkint32({W1},{W2})-32768)*0.1 if {W3}>0 else negz({w4})", nil); err != nil {
			b.Fatal(err)
		}
	}
}

// TestNumbersAllocateNothing.
func TestNumbersAllocateNothing(t *testing.T) {
	x, err := reparse.Compile("rd(mkint32({W1},{W2})-3.5)*0.1//2%7 if 1<{W3}<=9 and not {W1}==5 else negz({w4})**2&1", nil)
	if err != nil {
		t.Fatal(err)
	}
	args := make([]reparse.Value, 4)
	for i := range args {
		if args[i], err = reparse.Of(i + 5); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := x.EvalValues(args); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
