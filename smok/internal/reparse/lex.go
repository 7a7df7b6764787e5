package reparse

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// class is the sort of a token.
type class uint8

const (
	atEnd class = iota
	literal
	name // also keywords
	operator
)

// token is a word of an expression.
type token struct {
	class class
	text  string // of a name or operator
	value Value  // of a literal
}

// operators are those that have more than one character, longest first, and the characters of the others.
var operators = []string{"**", "//", "<<", ">>", "<=", ">=", "==", "!="}

const singleOperators = "+-*/%~&|^<>(),"

// lexer cuts an expression into tokens.
type lexer struct{ rest string }

func (l *lexer) next() (token, error) {
	l.rest = strings.TrimLeft(l.rest, " \t\r\n")
	if l.rest == "" {
		return token{}, nil
	}
	c := l.rest[0]
	switch {
	case isDigit(c), c == '.' && len(l.rest) > 1 && isDigit(l.rest[1]):
		return l.number()
	case isLetter(c):
		return token{class: name, text: l.take(isWord)}, nil
	case c == '"' || c == '\'':
		return l.text()
	}
	for _, o := range operators {
		if strings.HasPrefix(l.rest, o) {
			l.rest = l.rest[len(o):]
			return token{class: operator, text: o}, nil
		}
	}
	if strings.IndexByte(singleOperators, c) >= 0 {
		o := l.rest[:1]
		l.rest = l.rest[1:]
		return token{class: operator, text: o}, nil
	}
	r, _ := utf8.DecodeRuneInString(l.rest)
	return token{}, fmt.Errorf("unexpected %q", r)
}

// take cuts off the bytes at the front that are in the set.
func (l *lexer) take(in func(byte) bool) string {
	i := 0
	for i < len(l.rest) && in(l.rest[i]) {
		i++
	}
	taken := l.rest[:i]
	l.rest = l.rest[i:]
	return taken
}

// number reads a number: everything that may belong to one is taken together, so that 1a is none.
func (l *lexer) number() (token, error) {
	end := 0
	for end < len(l.rest) {
		c := l.rest[end]
		sign := (c == '+' || c == '-') && end > 0 && (l.rest[end-1] == 'e' || l.rest[end-1] == 'E') && !isHex(l.rest)
		if !isWord(c) && c != '.' && !sign {
			break
		}
		end++
	}
	text := l.rest[:end]
	l.rest = l.rest[end:]
	v, err := number(text)
	return token{class: literal, value: v}, err
}

func number(text string) (Value, error) {
	bad := fmt.Errorf("no number: %.32q", text)
	if len(text) > 1 && text[0] == '0' && isLetter(text[1]) && text[1] != '_' && text[1] != 'e' && text[1] != 'E' {
		b, ok := new(big.Int).SetString(text, 0) // knows the prefixes and the underscores
		if !ok || text[1] == 'p' {
			return Value{}, bad
		}
		return ofBig(b)
	}
	if strings.ContainsAny(text, ".eE") {
		f, err := value.ParseFloat(text)
		if err != nil {
			return Value{}, bad
		}
		return ofFloat(f), nil
	}
	if _, err := value.ParseFloat(text); err != nil { // which knows where underscores can be
		return Value{}, bad
	}
	digits := strings.ReplaceAll(text, "_", "")
	if digits[0] == '0' && strings.Trim(digits, "0") != "" {
		return Value{}, bad
	}
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return ofInt(n), nil
	}
	if len(digits) > maxBits { // far more than maxBits bits, and slow to read
		return Value{}, errRange
	}
	b, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return Value{}, bad
	}
	return ofBig(b)
}

// text reads text in quotes.
func (l *lexer) text() (token, error) {
	quote := l.rest[0]
	var b strings.Builder
	for i := 1; i < len(l.rest); i++ {
		switch c := l.rest[i]; c {
		case quote:
			l.rest = l.rest[i+1:]
			v, err := ofString(b.String())
			return token{class: literal, value: v}, err
		case '\n', '\r':
			return token{}, errors.New("text that is not closed")
		case '\\':
			if i++; i == len(l.rest) {
				return token{}, errors.New("text that is not closed")
			}
			escaped := strings.IndexByte(`\'"ntr`, l.rest[i])
			if escaped < 0 {
				return token{}, errors.New("unknown escape in text")
			}
			b.WriteByte("\\'\"\n\t\r"[escaped])
		default:
			b.WriteByte(c)
		}
	}
	return token{}, errors.New("text that is not closed")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

func isWord(c byte) bool { return isLetter(c) || isDigit(c) }

// isHex reports whether a number has the prefix of hexadecimal ones, in which e is a digit.
func isHex(s string) bool { return len(s) > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') }
