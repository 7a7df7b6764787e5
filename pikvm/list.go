package pikvm

import "strings"

// maxList is how long the text of a list may be, in characters (PiKVM validators).
const maxList = 4096

// badList is what is wrong with a list that [joinList] does not take.
const badList = "an empty name, several in one, or too many"

// joinList returns names as the device reads a list of them. It is false for what it would read as another list, or not at all.
func joinList(names []string) (string, bool) {
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, ", \t") {
			return "", false
		}
	}
	text := strings.Join(names, ",")
	return text, len(text) <= maxList
}
