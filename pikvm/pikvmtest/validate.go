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

// list splits the parameter and checks every item against the variants. A bad item makes the device name the whole list.
func (a arg) list(variants ...string) ([]string, error) {
	s, err := a.text("string list", 4096)
	if err != nil {
		return nil, err
	}
	items := slices.DeleteFunc(listSeparator.Split(s, -1), func(item string) bool { return item == "" })
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
