package minijson

import (
	"math/big"
	"strconv"
	"strings"
)

// maxDigits is how many characters the longest integer has in decimal, with its sign.
const maxDigits = 616

// literal encodes a number as JSON text has it: a float if it has a point or an exponent, else an integer.
func (e *encoder) literal(b []byte, s string) ([]byte, error) {
	if s == "" {
		s = "0" // the zero json.Number
	}
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return b, encodingError(ReasonRange, "json.Number", nil)
	}
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return b, encodingError(ReasonRange, "json.Number", nil)
		}
		return e.float(b, f)
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return AppendInt(b, i), nil
	}
	if len(s) <= maxDigits {
		if i, ok := new(big.Int).SetString(s, 10); ok {
			return AppendBig(b, i)
		}
	}
	return b, encodingError(ReasonRange, "json.Number", nil)
}
