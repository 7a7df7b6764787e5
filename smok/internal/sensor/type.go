package sensor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// Type says how the values of a sensor and of its first pathpoint belong together.
type Type struct {
	text               bool // both are text
	precision          int
	multiplier, offset number
}

// number is an integer or a float.
type number struct {
	float bool
	n     int64
	f     float64 // also of an integer
}

func ofInt(n int64) number { return number{n: n, f: float64(n)} }

func ofFloat(f float64) number { return number{float: true, f: f} }

// The limits of what the hub may send.
const (
	maxType      = 4 << 10 // bytes
	maxPrecision = 400     // more digits than a float has
)

// ParseType reads the name of a type, as the hub sends it: std.Number10, std.Number100, frisko.DayOfWeek, std.Unicode, or
// any other name with parameters such as std.Number(precision=1, multiplier=0.5, offset=-1), by position or by name.
// Parameters with other names are ignored. Without parameters the precision is 2, the multiplier 1 and the offset 0.
// Nothing of it is evaluated. What cannot be read is an *[smokerr.InvalidArgumentError].
func ParseType(name string) (*Type, error) {
	t := &Type{precision: 2, multiplier: ofInt(1)}
	switch name {
	case "std.Number10":
		t.multiplier = ofFloat(0.1)
	case "std.Number100":
		t.multiplier = ofFloat(0.01)
	case "frisko.DayOfWeek":
		t.offset = ofInt(-1)
	case "std.Unicode":
		t.text = true
	default:
		if err := t.parameters(name); err != nil {
			return nil, smokerr.InvalidArgument("sensor", "type", "cannot be read", err)
		}
	}
	return t, nil
}

// parameters reads what stands in parentheses, if anything does.
func (t *Type) parameters(name string) error {
	if len(name) > maxType {
		return errors.New("longer than 4096 bytes")
	}
	name, list, found := strings.Cut(name, "(")
	if !found {
		return nil
	}
	list, closed := strings.CutSuffix(strings.TrimSpace(list), ")")
	if !closed || strings.TrimSpace(name) == "" {
		return errors.New("no name with parentheses")
	}
	args, err := arguments(list)
	if err != nil {
		return err
	}
	order := [...]string{"precision", "multiplier", "offset"}
	set := map[string]bool{}
	named := false
	for i, arg := range args {
		switch {
		case arg.name != "":
			named = true
		case named:
			return errors.New("a parameter without a name behind one with a name")
		case i >= len(order):
			return errors.New("too many parameters")
		default:
			arg.name = order[i]
		}
		if set[arg.name] {
			return fmt.Errorf("%s twice", arg.name)
		}
		set[arg.name] = true
		if err := t.set(arg); err != nil {
			return err
		}
	}
	return nil
}

func (t *Type) set(arg argument) error {
	switch arg.name {
	case "precision":
		if !arg.isNumber || arg.value.float || arg.value.n < -maxPrecision || arg.value.n > maxPrecision {
			return errors.New("precision is no number of digits")
		}
		t.precision = int(arg.value.n)
		return nil
	case "multiplier":
		t.multiplier = arg.value
	case "offset":
		t.offset = arg.value
	default:
		return nil
	}
	if !arg.isNumber {
		return errors.New(arg.name + " is no number")
	}
	return nil
}

// argument is a literal, perhaps with a name.
type argument struct {
	name     string
	value    number
	isNumber bool
}

// arguments reads a list of literals. A comma at its end is allowed.
func arguments(list string) ([]argument, error) {
	var args []argument
	for strings.TrimSpace(list) != "" {
		word, rest, err := cut(list)
		if err != nil {
			return nil, err
		}
		list = rest
		var arg argument
		if name, literal, named := strings.Cut(word, "="); named && isName(strings.TrimSpace(name)) {
			arg.name, word = strings.TrimSpace(name), strings.TrimSpace(literal)
		}
		if arg.value, arg.isNumber, err = literal(word); err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	return args, nil
}

// cut returns what stands before the first comma that is not in quotes, and what stands behind it.
func cut(list string) (word, rest string, err error) {
	quote := byte(0)
	for i := range len(list) {
		switch c := list[i]; {
		case quote != 0:
			if c == '\\' {
				return "", "", errors.New("a backslash in text")
			}
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ',':
			return strings.TrimSpace(list[:i]), list[i+1:], nil
		}
	}
	if quote != 0 {
		return "", "", errors.New("text that is not closed")
	}
	return strings.TrimSpace(list), "", nil
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || i > 0 && '0' <= c && c <= '9') {
			return false
		}
	}
	return s != ""
}

// literal reads a number, a boolean, which is a number, too, None or text.
func literal(word string) (n number, isNumber bool, err error) {
	switch word {
	case "True":
		return ofInt(1), true, nil
	case "False":
		return ofInt(0), true, nil
	case "None":
		return number{}, false, nil
	}
	if len(word) >= 2 && (word[0] == '\'' || word[0] == '"') && strings.IndexByte(word[1:], word[0]) == len(word)-2 {
		return number{}, false, nil
	}
	unsigned := strings.TrimLeft(word, "+-")
	if unsigned == "" || unsigned[0] != '.' && (unsigned[0] < '0' || unsigned[0] > '9') {
		return number{}, false, fmt.Errorf("no literal: %.32q", word)
	}
	if strings.HasPrefix(unsigned, "0x") || strings.HasPrefix(unsigned, "0X") {
		i, err := strconv.ParseInt(word, 0, 64)
		return ofInt(i), true, err
	}
	if i, err := value.ParseInt(word); err == nil && i.IsInt64() {
		return ofInt(i.Int64()), true, nil
	}
	f, err := value.ParseFloat(word)
	return ofFloat(f), true, err
}
