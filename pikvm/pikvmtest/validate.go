package pikvmtest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// arg is one parameter as it came: absent (None to the device) or a string.
type arg struct {
	value string
	set   bool
}

// or supplies what an absent parameter stands for.
func (a arg) or(value string) arg {
	if a.set {
		return a
	}
	return arg{value, true}
}

// text returns the stripped string. name is what the refusal of an absent parameter calls it; limit bounds what came
// in before it is stripped.
func (a arg) text(name string, limit int) (string, error) {
	if !a.set {
		return "", invalid("None argument is not a valid %s", name)
	}
	if len(a.value) > limit {
		return "", invalid("RAW limit exceed")
	}
	return strings.TrimSpace(a.value), nil
}

// rawShort bounds numbers, switches and other short parameters (PiKVM validators).
const rawShort = 16

func (a arg) bool() (bool, error) {
	const name = "bool (['1', 'true', 'yes'] or ['0', 'false', 'no'])"
	s, err := a.text(name, rawShort)
	if err != nil {
		return false, err
	}
	switch s = strings.ToLower(s); s {
	case "1", "true", "yes":
		return true, nil
	case "0", "false", "no":
		return false, nil
	}
	return false, invalid("The argument %s is not a valid %s", pyRepr(s), name)
}

// choice returns the variant that the parameter names, whatever its case.
func (a arg) choice(name string, variants ...string) (string, error) {
	s, err := a.text(name, 256)
	if err != nil {
		return "", err
	}
	if s = strings.ToLower(s); !slices.Contains(variants, s) {
		return "", invalid("The argument %s is not a valid %s", pyRepr(s), name)
	}
	return s, nil
}

// int takes decimal and 0x numbers. The spelling of the refusals is on the wire.
func (a arg) int(name string, low int64) (int64, error) {
	s, err := a.text(name, rawShort)
	if err != nil {
		return 0, err
	}
	var n int64
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		n, err = strconv.ParseInt(hex, 16, 64)
	} else {
		n, err = strconv.ParseInt(s, 10, 64)
	}
	if err != nil {
		return 0, invalid("The argument %s is not a valid %s", pyRepr(s), name)
	}
	if n < low {
		return 0, invalid("The argument '%d' must be %s and greater or equial than %d", n, name, low)
	}
	return n, nil
}

var listSeparator = regexp.MustCompile(`[,\t ]+`)

// items splits the parameter.
func (a arg) items() ([]string, error) {
	s, err := a.text("string list", 4096)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(listSeparator.Split(s, -1), func(item string) bool { return item == "" }), nil
}

// list is items with a check of every one against the variants. A bad item makes the device name the whole list.
func (a arg) list(variants ...string) ([]string, error) {
	items, err := a.items()
	if err != nil {
		return nil, err
	}
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = strings.ToLower(item)
		if !slices.Contains(variants, out[i]) {
			return nil, invalid("Failed sub-validator on one of the item of %s", pyReprList(items))
		}
	}
	return out, nil
}

var (
	userPattern   = regexp.MustCompile(`\A[a-z_]([a-z0-9@._-]*[a-z0-9_-])?\z`)
	passwdPattern = regexp.MustCompile(`\A[\x20-\x7e]*\z`)
	tokenPattern  = regexp.MustCompile(`\A[0-9a-f]{64}\z`)
)

func validUser(raw string) (string, error) {
	s, err := arg{raw, true}.text("username characters", 128)
	if err != nil {
		return "", err
	}
	if !userPattern.MatchString(s) {
		return "", invalid("The argument %s is not a valid username characters", pyRepr(s))
	}
	return s, nil
}

// validPasswd does not strip, and its refusal does not show the argument.
func validPasswd(raw string) (string, error) {
	if len(raw) > 512 {
		return "", invalid("RAW limit exceed")
	}
	if !passwdPattern.MatchString(raw) {
		return "", invalid("The argument is not a valid passwd characters")
	}
	return raw, nil
}

func validToken(raw string) (string, error) {
	if s := strings.TrimSpace(raw); tokenPattern.MatchString(s) {
		return s, nil
	}
	return "", invalid("The argument is not a valid auth token")
}

// invalid is the refusal of an argument.
func invalid(format string, args ...any) error {
	return &apiError{400, "ValidatorError", fmt.Sprintf(format, args...)}
}

// optionalBool is bool, nil for an absent parameter.
func (a arg) optionalBool() (*bool, error) {
	if !a.set {
		return nil, nil
	}
	b, err := a.bool()
	return &b, err
}

// float takes a number that is not less than low.
func (a arg) float(name string, low float64) (float64, error) {
	s, err := a.text(name, rawShort)
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != f {
		return 0, invalid("The argument %s is not a valid %s", pyRepr(s), name)
	}
	if f < low {
		return 0, invalid("The argument '%s' must be %s and greater or equial than %s", pyFloat(f), name, pyNumber(low))
	}
	return f, nil
}

// floatTo is float with an upper bound.
func (a arg) floatTo(name string, low, high float64) (float64, error) {
	f, err := a.float(name, low)
	if err == nil && f > high {
		return 0, invalid("The argument '%s' must be %s and lesser or equal then %s", pyFloat(f), name, pyNumber(high))
	}
	return f, err
}

// pyFloat spells a number the way repr does for one with a fraction.
func pyFloat(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// pyNumber spells a bound, which the device has as an integer where it can be one.
func pyNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// validImageName returns the name under which an image is stored.
func validImageName(raw string) (string, error) {
	const name = "MSD image name"
	if len(raw) > 4096 {
		return "", invalid("RAW limit exceed")
	}
	var parts []string
	for part := range strings.SplitSeq(raw, "/") {
		if part == "" {
			continue
		}
		part = strings.TrimSpace(part)
		if part == "" || strings.ContainsRune(part, 0) || strings.HasPrefix(part, ".") || part == "lost+found" {
			return "", invalid("The argument %s is not a valid %s", pyRepr(part), name)
		}
		runes := []rune(part)
		for i, r := range runes {
			if !strconv.IsPrint(r) {
				runes[i] = '_'
			}
		}
		parts = append(parts, string(runes[:min(len(runes), 255)]))
	}
	if len(parts) == 0 {
		return "", invalid("The argument %s is not a valid %s", pyRepr(raw), name)
	}
	return strings.Join(parts, "/"), nil
}

// imageArg is the name of an image that must be there.
func (a arg) imageArg() (string, error) {
	if !a.set {
		return "", invalid("None argument is not a valid stripped string")
	}
	return validImageName(a.value)
}
