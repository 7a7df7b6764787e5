package reparse

import (
	"strconv"
	"strings"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// maxDepth is how deep braces, parentheses and operators can be nested.
const maxDepth = 64

// split replaces each name in braces by v0, v1 and so on. Braces nest, since the names may be those of computed
// pathpoints.
func split(expression string) (code string, paths []string, err error) {
	var b strings.Builder
	for rest := expression; rest != ""; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:open])
		rest = rest[open+1:]
		end, err := closing(rest)
		if err != nil {
			return "", nil, err
		}
		b.WriteByte('v')
		b.WriteString(strconv.Itoa(len(paths)))
		if _, err := value.TypeOf(rest[:end]); err != nil {
			return "", nil, invalid("names no pathpoint in braces", err)
		}
		paths = append(paths, rest[:end])
		rest = rest[end+1:]
	}
	if len(paths) == 0 {
		return "", nil, invalid("is computed from no pathpoint", nil)
	}
	return b.String(), paths, nil
}

// closing returns where the brace is that closes the one before s.
func closing(s string) (int, error) {
	depth := 1
	for i := range len(s) {
		switch s[i] {
		case '{':
			if depth++; depth > maxDepth {
				return 0, invalid("is nested too deep", nil)
			}
		case '}':
			if depth--; depth == 0 {
				return i, nil
			}
		}
	}
	return 0, invalid("has a brace that is not closed", nil)
}

func invalid(reason string, cause error) error {
	return smokerr.InvalidArgument("reparse", "path", reason, cause)
}
