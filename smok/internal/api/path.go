package api

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// segment returns text as one segment of a path, percent-encoded. Empty text has no place in one, and "." and ".." would
// be taken for steps through the tree by everybody on the way, encoded or not.
func segment(op, field, text string) (string, error) {
	if err := CheckKey(op, field, text); err != nil {
		return "", err
	}
	// A plus means itself in a path, but some servers read it as a space.
	return strings.ReplaceAll(url.PathEscape(text), "+", "%2B"), nil
}

// CheckKey reports why a key or an id cannot be part of a request, as an *[smokerr.InvalidArgumentError] of op.
func CheckKey(op, field, text string) error {
	switch text {
	case "":
		return smokerr.InvalidArgument(op, field, "empty", nil)
	case ".", "..":
		return smokerr.InvalidArgument(op, field, "no name of its own in a URL", nil)
	}
	if !utf8.ValidString(text) {
		return smokerr.InvalidArgument(op, field, "not valid UTF-8", nil)
	}
	return nil
}

// metadataSegment is segment for the key of a metadata value, with spaces as the configuration says.
func (c *Client) metadataSegment(op, key string) (string, error) {
	escaped, err := segment(op, "key", key)
	if err != nil || !c.cfg.PlusForSpace {
		return escaped, err
	}
	return strings.ReplaceAll(escaped, "%20", "+"), nil
}
