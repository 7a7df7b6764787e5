package reparse_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/smok/internal/reparse"
)

// TestAgainstPython compares with what CPython 3 made of random expressions, one a line: the expression, its arguments
// and the result. testdata/oracle.py wrote them.
func TestAgainstPython(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/python.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	checked, long := 0, 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 3 {
			t.Fatalf("%d fields in %q", len(fields), lines.Text())
		}
		got := compute(t, fields[0], fields[1])
		checked++
		if got == fields[2] || closeTo(got, fields[2]) {
			continue
		}
		if strings.Contains(got, "result too large") { // of more than 1024 bits, which Python has
			if long++; strings.HasPrefix(fields[2], "i:") && len(fields[2]) < 300 {
				t.Logf("%s of %s is %s on the way", fields[0], fields[1], got)
			}
			continue
		}
		if fields[2] == "error" && strings.HasPrefix(got, "error") {
			continue
		}
		t.Errorf("%s of %s:\n got %s\nwant %s", fields[0], fields[1], got, fields[2])
	}
	if checked < 4000 || long > checked/50 {
		t.Errorf("%d lines, %d of them too large", checked, long)
	}
}

// compute returns the result in the form of the file.
func compute(t *testing.T, code, arguments string) string {
	t.Helper()
	var texts []string
	if err := json.Unmarshal([]byte(arguments), &texts); err != nil {
		t.Fatal(err)
	}
	// The expression has v0, v1 and v2 as they are; the names in front only say that they exist.
	args := make([]reparse.Value, len(texts))
	for i, text := range texts {
		args[i] = argument(t, text)
	}
	x, err := reparse.Compile("rd{W0}+{W1}+{W2} if False else "+code, nil)
	if err != nil {
		return "syntax"
	}
	v, err := x.EvalValues(args)
	if err != nil {
		return "error: " + err.Error()
	}
	switch n := v.Any().(type) {
	case bool:
		if n {
			return "b:1"
		}
		return "b:0"
	case int64:
		return fmt.Sprint("i:", n)
	case *big.Int:
		return fmt.Sprint("i:", n)
	case float64:
		if math.IsNaN(n) {
			return "nan"
		}
		return "f:" + strconv.FormatFloat(n, 'g', -1, 64)
	case string:
		text, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		return "s:" + string(text)
	}
	return "error" // None is no value of a pathpoint
}

func argument(t *testing.T, text string) reparse.Value {
	t.Helper()
	var v any
	switch text {
	case "True", "False":
		v = text == "True"
	default:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			v = n
		} else if f, err := strconv.ParseFloat(text, 64); err == nil {
			v = f
		} else {
			t.Fatal(err)
		}
	}
	of, err := reparse.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	return of
}

// closeTo reports whether two floats are the same. The powers of the two languages differ in the last bits.
func closeTo(got, want string) bool {
	if !strings.HasPrefix(got, "f:") || !strings.HasPrefix(want, "f:") {
		return false
	}
	g, err1 := strconv.ParseFloat(got[2:], 64)
	w, err2 := strconv.ParseFloat(want[2:], 64) // which knows 0x1.8p+1 as well
	if err1 != nil || err2 != nil {
		return false
	}
	return g == w && math.Signbit(g) == math.Signbit(w) || math.Abs(g-w) <= 1e-12*math.Abs(w)
}
