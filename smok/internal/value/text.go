package value

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// The texts of numbers are those of Python, which the platform speaks: an integer may have single underscores between
// its digits, and space around it.

// FormatBool returns "True" or "False".
func FormatBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// FormatInt returns n in decimal.
func FormatInt(n int64) string { return strconv.FormatInt(n, 10) }

// FormatFloat returns the shortest text that reads back as f: with a point from 1e-4 to below 1e16, with an exponent
// outside, else "inf", "-inf" or "nan".
func FormatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// ParseFloat reads a decimal float or integer, "inf", "infinity" or "nan" in any case. What is too large is infinite.
func ParseFloat(s string) (float64, error) {
	t := trim(s)
	body := t
	if body != "" && (body[0] == '+' || body[0] == '-') {
		body = body[1:]
	}
	switch strings.ToLower(body) {
	case "inf", "infinity", "nan":
		return strconv.ParseFloat(t, 64)
	}
	if !isDecimal(body) {
		return 0, noNumber(s)
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(t, "_", ""), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, noNumber(s)
	}
	return f, nil
}

// isDecimal reports whether s is digits with a point and an exponent where floats have them.
func isDecimal(s string) bool {
	rest, whole := digits(s)
	frac := false
	if strings.HasPrefix(rest, ".") {
		rest, frac = digits(rest[1:])
	}
	if !whole && !frac {
		return false
	}
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		rest = rest[1:]
		if rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		var exp bool
		if rest, exp = digits(rest); !exp {
			return false
		}
	}
	return rest == ""
}

// digits cuts decimal digits, with single underscores between them, off the front of s.
func digits(s string) (rest string, found bool) {
	i := 0
	for i < len(s) {
		switch {
		case '0' <= s[i] && s[i] <= '9':
			i++
		case s[i] == '_' && i > 0 && s[i-1] != '_' && i+1 < len(s) && '0' <= s[i+1] && s[i+1] <= '9':
			i++
		default:
			return s[i:], i > 0
		}
	}
	return "", i > 0
}

// parseInteger reads a decimal integer, cut to 64 bits.
func parseInteger(s string) (int64, error) {
	t := trim(s)
	body := t
	if body != "" && (body[0] == '+' || body[0] == '-') {
		body = body[1:]
	}
	if rest, found := digits(body); !found || rest != "" {
		return 0, noNumber(s)
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(t, "_", ""), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, noNumber(s)
	}
	return n, nil // at the limit of its sign if out of range
}

// trim cuts space off both ends, as far as it is ASCII.
func trim(s string) string { return strings.Trim(s, " \t\n\v\f\r") }

func noNumber(s string) error {
	if len(s) > 32 {
		s = strings.ToValidUTF8(s[:32], "") + "..."
	}
	return errors.New("no number: " + strconv.Quote(s))
}

// ParseInt reads a decimal integer of at most 1024 bits.
func ParseInt(s string) (*big.Int, error) {
	t := trim(s)
	rest, found := digits(strings.TrimPrefix(strings.TrimPrefix(t, "-"), "+"))
	if !found || rest != "" || len(t) > 2*maxBits {
		return nil, noNumber(s)
	}
	n, ok := new(big.Int).SetString(strings.ReplaceAll(t, "_", ""), 10)
	if !ok {
		return nil, noNumber(s)
	}
	if n.BitLen() > maxBits {
		return nil, errors.New("an integer of more than 1024 bits")
	}
	return n, nil
}
