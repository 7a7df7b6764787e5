package pikvm

import (
	"strconv"
	"strings"
)

// Version is the version of kvmd, the software of the device, such as 4.197: two numbers, not a decimal
// fraction. The zero value stands for unknown.
type Version struct {
	Major, Minor int
}

// AtLeast reports whether v is the given version or a later one.
func (v Version) AtLeast(major, minor int) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// String returns the form that the device uses: "4.197".
func (v Version) String() string { return strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor) }

// parseVersion reads the form of String. Whatever follows the digits of the second number is ignored.
func parseVersion(s string) (Version, bool) {
	major, rest, _ := strings.Cut(s, ".")
	minor := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	a, errMajor := strconv.ParseUint(major, 10, 31)
	b, errMinor := strconv.ParseUint(minor, 10, 31)
	if errMajor != nil || errMinor != nil {
		return Version{}, false
	}
	return Version{Major: int(a), Minor: int(b)}, true
}
