package sensor

import (
	"slices"
	"strings"
)

// FQTS returns the canonical name of the sensor with the tags in text: the tags sorted by their bytes, with one space
// between them. Sensors are the same if their names are.
func FQTS(text string) string { return join(strings.Fields(text)) }

// FQTSOf is [FQTS] of a set of tags. A tag that occurs twice counts once; spaces separate tags.
func FQTSOf(tags ...string) string {
	var all []string
	for _, tag := range tags {
		all = append(all, strings.Fields(tag)...)
	}
	slices.Sort(all)
	return join(slices.Compact(all))
}

func join(tags []string) string {
	slices.Sort(tags)
	return strings.Join(tags, " ")
}
