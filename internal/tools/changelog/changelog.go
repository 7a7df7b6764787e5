// Package changelog reads and releases the sections of a changelog in the form of Keep a Changelog: a level-two heading
// "Unreleased" on top, then one per version, with level-three headings for the kinds of change.
package changelog

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	heading    = regexp.MustCompile(`(?m)^## .*$`)
	unreleased = regexp.MustCompile(`(?mi)^## \[?unreleased\]?[ \t]*$`)
	kind       = regexp.MustCompile(`(?m)^### +(.*?)[ \t]*$`)
)

// Unreleased returns the text below the heading "Unreleased", and whether there is such a heading.
func Unreleased(text string) (string, bool) {
	at := unreleased.FindStringIndex(text)
	if at == nil {
		return "", false
	}
	return section(text[at[1]:]), true
}

// Version returns the text below the heading of a version ("v0.1.0" finds "## [0.1.0] - 2026-01-31"), and whether
// there is such a heading.
func Version(text, version string) (string, bool) {
	number := regexp.QuoteMeta(strings.TrimPrefix(version, "v"))
	at := regexp.MustCompile(`(?m)^## \[?v?` + number + `\]?([ \t].*)?$`).FindStringIndex(text)
	if at == nil {
		return "", false
	}
	return section(text[at[1]:]), true
}

// Kinds lists the level-three headings of a section in lower case: "added", "breaking".
func Kinds(section string) []string {
	var kinds []string
	for _, match := range kind.FindAllStringSubmatch(section, -1) {
		kinds = append(kinds, strings.ToLower(match[1]))
	}
	return kinds
}

// Release moves what is unreleased below a heading of the version with a date, and leaves an empty "Unreleased" on
// top. Nothing unreleased is an error: a release says what it brings.
func Release(text, version, date string) (string, error) {
	if _, ok := Version(text, version); ok {
		return "", fmt.Errorf("there is a section for %s already", version)
	}
	body, ok := Unreleased(text)
	if !ok {
		return "", fmt.Errorf("there is no heading \"Unreleased\"")
	}
	if body == "" {
		return "", fmt.Errorf("there is nothing below \"Unreleased\"")
	}
	at := unreleased.FindStringIndex(text)
	title := strings.TrimPrefix(version, "v")
	if strings.Contains(text[at[0]:at[1]], "[") { // as the other headings have it
		title = "[" + title + "]"
	}
	return text[:at[1]] + "\n\n## " + title + " - " + date + text[at[1]:], nil
}

// section is the text up to the next level-two heading.
func section(text string) string {
	if at := heading.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	return strings.TrimSpace(text)
}
