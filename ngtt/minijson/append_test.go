package minijson_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

type appender struct {
	name   string
	append func([]byte) ([]byte, error)
	want   string // hex
}

func plain(f func([]byte) []byte) func([]byte) ([]byte, error) {
	return func(b []byte) ([]byte, error) { return f(b), nil }
}

var (
	bigNumber = new(big.Int).Lsh(big.NewInt(1), 64)
	longText  = strings.Repeat("a", 300)
)

// appenders are the functions that append one value.
var appenders = []appender{
	{"null", plain(minijson.AppendNull), "08"},
	{"true", plain(func(b []byte) []byte { return minijson.AppendBool(b, true) }), "16"},
	{"false", plain(func(b []byte) []byte { return minijson.AppendBool(b, false) }), "17"},
	{"int", plain(func(b []byte) []byte { return minijson.AppendInt(b, -129) }), "02ff7f"},
	{"long int", plain(func(b []byte) []byte { return minijson.AppendInt(b, math.MinInt64) }), "18088000000000000000"},
	{"uint", plain(func(b []byte) []byte { return minijson.AppendUint(b, math.MaxUint64) }), "180900ffffffffffffffff"},
	{"big", func(b []byte) ([]byte, error) { return minijson.AppendBig(b, bigNumber) }, "1809010000000000000000"},
	{"big nil", func(b []byte) ([]byte, error) { return minijson.AppendBig(b, nil) }, "08"},
	{"float", plain(func(b []byte) []byte { return minijson.AppendFloat(b, 3.14) }), "0a40091eb851eb851f"},
	{"short float", plain(func(b []byte) []byte { return minijson.AppendFloat(b, 1.5) }), "093fc00000"},
	{"float32", plain(func(b []byte) []byte { return minijson.AppendFloat32(b, 0.1) }), "093dcccccd"},
	{"float64", plain(func(b []byte) []byte { return minijson.AppendFloat64(b, 1.5) }), "0a3ff8000000000000"},
	{"string", func(b []byte) ([]byte, error) { return minijson.AppendString(b, "żółć") }, "88c5bcc3b3c582c487"},
	{"long string", func(b []byte) ([]byte, error) { return minijson.AppendString(b, longText) }, "0d012c" + strings.Repeat("61", 300)},
	{"bytes", func(b []byte) ([]byte, error) { return minijson.AppendBytes(b, []byte{0xAA}) }, "1901aa"},
	{"list", func(b []byte) ([]byte, error) { return minijson.AppendList(b, 65536) }, "1000010000"},
	{"object", func(b []byte) ([]byte, error) { return minijson.AppendObject(b, 16) }, "0b10"},
	{"map", func(b []byte) ([]byte, error) { return minijson.AppendMap(b, 256) }, "150100"},
	{"key", func(b []byte) ([]byte, error) { return minijson.AppendKey(b, "id") }, "026964"},
}

func TestAppendX(t *testing.T) {
	t.Parallel()
	for _, x := range appenders {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			b, err := x.append([]byte("begun"))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff("begun"+string(fromHex(t, x.want)), string(b)); d != "" {
				t.Errorf("bytes (-want +got):\n%s", d)
			}
		})
	}
}

func TestAppendXRefuses(t *testing.T) {
	t.Parallel()
	tooBig := new(big.Int).Lsh(big.NewInt(1), 2039)
	tests := map[string]struct {
		append func([]byte) ([]byte, error)
		reason minijson.Reason
	}{
		"invalid string":       {func(b []byte) ([]byte, error) { return minijson.AppendString(b, "\xff") }, minijson.ReasonUTF8},
		"invalid key":          {func(b []byte) ([]byte, error) { return minijson.AppendKey(b, "\xed\xa0\x80") }, minijson.ReasonUTF8},
		"key of 256 bytes":     {func(b []byte) ([]byte, error) { return minijson.AppendKey(b, longText[:256]) }, minijson.ReasonRange},
		"integer of 256 bytes": {func(b []byte) ([]byte, error) { return minijson.AppendBig(b, tooBig) }, minijson.ReasonRange},
		"list of -1":           {func(b []byte) ([]byte, error) { return minijson.AppendList(b, -1) }, minijson.ReasonRange},
		"object of -1":         {func(b []byte) ([]byte, error) { return minijson.AppendObject(b, -1) }, minijson.ReasonRange},
		"map of -1":            {func(b []byte) ([]byte, error) { return minijson.AppendMap(b, -1) }, minijson.ReasonRange},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := tt.append([]byte("begun"))
			if e := wantEncodingError(t, err); e.Reason != tt.reason {
				t.Errorf("reason %q, want %q", e.Reason, tt.reason)
			}
			if string(b) != "begun" {
				t.Errorf("output changed to %q", b)
			}
		})
	}
}

// TestIntegerForms goes over the integers around the limits of every length: each is read back, in the shortest form.
func TestIntegerForms(t *testing.T) {
	t.Parallel()
	for bits := range uint(2040) {
		if bits > 100 && bits < 2000 || (bits+1)%8 > 2 {
			continue
		}
		edge := new(big.Int).Lsh(big.NewInt(1), bits)
		for _, off := range []int64{-1, 0, 1} {
			for _, sign := range []int64{1, -1} {
				x := new(big.Int).Add(edge, big.NewInt(off))
				x.Mul(x, big.NewInt(sign))
				b, err := minijson.AppendBig(nil, x)
				if x.BitLen() > 2039 && x.Cmp(new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 2039))) != 0 {
					wantEncodingError(t, err)
					continue
				}
				if err != nil {
					t.Fatalf("%v: %v", x, err)
				}
				var got big.Int
				if err := minijson.Unmarshal(b, &got); err != nil || got.Cmp(x) != 0 {
					t.Fatalf("%v became %v: %v", x, &got, err)
				}
				if want := shortest(x); len(b) != want {
					t.Fatalf("%v takes %d bytes, want %d: %x", x, len(b), want, b)
				}
			}
		}
	}
}

// shortest returns the length of an integer's canonical form.
func shortest(x *big.Int) int {
	in := func(from, to int64) bool { return x.Cmp(big.NewInt(from)) >= 0 && x.Cmp(big.NewInt(to)) <= 0 }
	switch {
	case in(-128, 255):
		return 2
	case in(-32768, 65535):
		return 3
	case in(0, 1<<24-1):
		return 4
	case in(math.MinInt32, math.MaxUint32):
		return 5
	}
	n := 5
	for ; ; n++ {
		edge := new(big.Int).Lsh(big.NewInt(1), uint(8*n-1))
		if x.Cmp(edge) < 0 && x.Cmp(new(big.Int).Neg(edge)) >= 0 {
			return 2 + n
		}
	}
}

func TestAppendXAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 1024)
	for _, x := range appenders {
		if n := testing.AllocsPerRun(100, func() { _, _ = x.append(buf) }); n != 0 {
			t.Errorf("%s: %v allocations", x.name, n)
		}
	}
}

// TestAppendAllocatesNothing: neither do whole documents, once the types and the pools are warm.
func TestAppendAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops values at random under the race detector")
	}
	for _, d := range benchDocuments {
		buf := make([]byte, 0, 64<<10)
		if n := testing.AllocsPerRun(100, func() { _, _ = minijson.Append(buf, d.doc) }); n >= 1 {
			t.Errorf("%s: %v allocations", d.name, n)
		}
	}
}

func ExampleAppendList() {
	b, _ := minijson.AppendList(nil, 2)
	b = minijson.AppendInt(b, 1_795_000_000_000)
	b = minijson.AppendFloat(b, 21.5)
	text, _ := minijson.ToJSON(b)
	fmt.Printf("%x\n%s\n", b, text)
	// Output:
	// 42180601a1ee565e000941ac0000
	// [1795000000000,21.5]
}
