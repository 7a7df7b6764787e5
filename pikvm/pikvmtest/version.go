package pikvmtest

import (
	"fmt"
	"strconv"
	"strings"
)

// version is a kvmd release. The two numbers are compared one by one: 4.20 comes before 4.197.
type version struct{ major, minor int }

func parseVersion(text string) (version, error) {
	major, minor, ok := strings.Cut(text, ".")
	a, errA := strconv.ParseUint(major, 10, 16)
	b, errB := strconv.ParseUint(minor, 10, 16)
	if !ok || errA != nil || errB != nil {
		return version{}, fmt.Errorf("pikvmtest: version %q is not MAJOR.MINOR", text)
	}
	return version{int(a), int(b)}, nil
}

func (v version) String() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

func (v version) atLeast(major, minor int) bool {
	return v.major > major || v.major == major && v.minor >= minor
}
