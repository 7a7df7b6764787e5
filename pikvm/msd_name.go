package pikvm

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxImagePart is how long the file systems of a device let a name be, in bytes.
const maxImagePart = 255

// checkImageName says what is wrong with the name of an image by the rules of the device (PiKVM validators), empty if
// nothing is. The parts between slashes are names of files.
func checkImageName(name string) string {
	if !utf8.ValidString(name) {
		return "not UTF-8"
	}
	parts := 0
	for part := range strings.SplitSeq(name, "/") {
		if part == "" {
			continue // dropped by the device
		}
		parts++
		part = strings.TrimSpace(part)
		switch {
		case part == "":
			return "a part of it is blank"
		case strings.ContainsRune(part, 0):
			return "holds a zero byte"
		case strings.HasPrefix(part, "."):
			return "a part of it begins with a dot"
		case part == "lost+found":
			return "lost+found is reserved"
		case len(part) > maxImagePart:
			return "a part of it is longer than 255 bytes"
		}
	}
	if parts == 0 {
		return "empty"
	}
	return ""
}

// storedName returns the name under which the device keeps an image of a good name: without superfluous slashes and
// blanks, and with an underscore for what cannot be printed.
func storedName(name string) string {
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '_'
	}, strings.Join(parts, "/"))
}

var (
	remoteImage = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://\S+$`)
	remoteURL   = regexp.MustCompile(`^https?://[\[\w]+\S*$`) // as the device checks it
)

// checkDriveImage is checkImageName for the image of the drive, which may be none or a URL too.
func checkDriveImage(name string) string {
	if name == "" || remoteImage.MatchString(name) {
		return ""
	}
	return checkImageName(name)
}
