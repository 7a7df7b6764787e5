package minijson

import (
	"math/big"
	"strconv"
	"strings"
)

// maxDigits is how many characters the longest integer has in decimal, with its sign.
const maxDigits = 616

// literal encodes a number as JSON text has it: a float if it has a point or an exponent, else an integer.
func (e *encoder) literal(s string) error {
	if s == "" {
		s = "0" // the zero json.Number
	}
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return encodingError(ReasonRange, "json.Number", nil)
	}
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return encodingError(ReasonRange, "json.Number", nil)
		}
		return e.float(f)
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		e.buf = AppendInt(e.buf, i)
		return nil
	}
	b, ok := new(big.Int), len(s) <= maxDigits
	if ok {
		b, ok = b.SetString(s, 10)
	}
	if !ok {
		return encodingError(ReasonRange, "json.Number", nil)
	}
	var err error
	e.buf, err = AppendBig(e.buf, b)
	return err
}
