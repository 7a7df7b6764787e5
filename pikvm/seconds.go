package pikvm

import (
	"strconv"
	"time"
)

// maxNumber is how long the text of a number may be, in characters (PiKVM validators).
const maxNumber = 16

// seconds returns a duration as the device reads it. It is false for one that it would not take: too long a text.
func seconds(d time.Duration) (string, bool) {
	text := strconv.FormatFloat(d.Seconds(), 'f', -1, 64)
	return text, len(text) <= maxNumber && d%time.Microsecond == 0
}

// duration returns a number of seconds as a duration, at the ends of the range these.
func (l loose) duration() time.Duration {
	return time.Duration(loose(float64(l) * float64(time.Second)).int64())
}
