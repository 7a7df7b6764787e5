package errkit

import "time"

// HTTPKind returns the kinds of an HTTP status: 0 below 400, [Connection] for 599 (in use for "no reply at
// all"), [Protocol] for numbers that are no status.
func HTTPKind(status int) Kind {
	switch status {
	case 401, 407, 511:
		return Auth
	case 402, 403, 451:
		return Denied
	case 404, 410:
		return NotFound
	case 408, 504:
		return Timeout
	case 409, 412, 428:
		return Conflict
	case 423:
		return Busy
	case 429:
		return RateLimited
	case 413, 414, 431:
		return TooLarge
	case 405, 406, 415, 501, 505:
		return Unsupported
	case 425, 502, 503:
		return Unavailable
	case 507:
		return Full
	case 599:
		return Connection
	}
	switch {
	case status < 0 || status > 599:
		return Protocol
	case status < 400:
		return 0
	case status < 500:
		return Invalid
	}
	return Internal
}

// maxRetryAfter bounds what a peer may ask for.
const maxRetryAfter = 24 * time.Hour

// ParseRetryAfter reads a Retry-After header (RFC 9110, section 10.2.3): seconds, or a date that is compared
// with now. A negative or past value is 0, more than 24 h is 24 h. It reports false if the header is neither.
func ParseRetryAfter(header string, now time.Time) (time.Duration, bool) {
	if seconds, ok := parseSeconds(header); ok {
		return seconds, true
	}
	for _, layout := range [...]string{"Mon, 02 Jan 2006 15:04:05 GMT", time.RFC850, time.ANSIC} {
		if t, err := time.Parse(layout, header); err == nil {
			return min(max(t.Sub(now), 0), maxRetryAfter), true
		}
	}
	return 0, false
}

func parseSeconds(s string) (time.Duration, bool) {
	negative := s != "" && s[0] == '-'
	if negative {
		s = s[1:]
	}
	if s == "" {
		return 0, false
	}
	var n time.Duration
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = min(10*n+time.Duration(s[i]-'0')*time.Second, maxRetryAfter) // bounded: no overflow
	}
	if negative {
		return 0, true
	}
	return n, true
}
