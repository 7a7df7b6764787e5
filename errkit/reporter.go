package errkit

import (
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"unicode/utf8"
)

// reporter makes reports until their JSON would become too long.
type reporter struct {
	left  int  // bytes
	typed bool // there is an error of this house
}

// report returns the report of err. Judged says that an error of this house is above it: one that is not of this
// house adds no kinds then. Nor does anything become NotSent by being reported: a call is repeated if it says so,
// and what Classify says of a cause is not what the typed error above or beside it says.
func (r *reporter) report(err error, depth int, judged bool) *Report {
	r.left -= reportNodeWeight
	s := summarize(err)
	kinds := KindOf(err)
	switch {
	case judged && !s.own:
		kinds = 0
	case r.typed && !saysNotSent(err):
		kinds &^= NotSent
	}
	report := &Report{
		Message:    r.text(CleanCause(err).Error()),
		Class:      r.text(CodeOf(err)),
		Kinds:      kinds.Names(),
		Op:         r.text(s.op),
		Target:     r.text(s.target),
		Attempts:   s.attempts,
		RetryAfter: s.retryAfter,
		Transient:  Transient(err),
		Fields:     r.fields(s.fields),
	}
	if depth == maxReportDepth {
		return report
	}
	for _, cause := range s.causes {
		if len(report.Causes) == maxReportCauses || r.left < reportNodeWeight {
			break
		}
		if cause != nil {
			report.Causes = append(report.Causes, r.report(cause, depth+1, judged || s.own))
		}
	}
	return report
}

// saysNotSent reports whether an error of this house in err says so.
func saysNotSent(err error) bool {
	for e := range Walk(err) {
		if k, own := ownKinds(e); own && k.Has(NotSent) {
			return true
		}
	}
	return false
}

// text returns s cut to what one string may have and the whole report still has.
func (r *reporter) text(s string) string {
	s = cut(s, maxReportString)
	if jsonLen(s) > max(r.left, 0) {
		s = cut(s, max(r.left, 0)/6)
	}
	r.left -= jsonLen(s)
	return s
}

func (r *reporter) fields(attrs []slog.Attr) map[string]any {
	if len(attrs) == 0 {
		return nil
	}
	fields := make(map[string]any, len(attrs))
	for _, a := range attrs {
		if r.left <= 0 {
			break
		}
		const punctuation = 6
		r.left -= punctuation
		fields[r.text(a.Key)] = r.value(a.Value.Resolve())
	}
	return fields
}

func (r *reporter) value(v slog.Value) any {
	switch v.Kind() {
	case slog.KindString:
		return r.text(v.String())
	case slog.KindGroup:
		return r.fields(v.Group())
	case slog.KindDuration:
		return r.text(v.Duration().String())
	case slog.KindFloat64:
		if f := v.Float64(); math.IsNaN(f) || math.IsInf(f, 0) {
			return r.text(v.String())
		}
	}
	if err, ok := v.Any().(error); ok {
		return r.text(CleanCause(err).Error())
	}
	text, err := json.Marshal(v.Any())
	if err != nil {
		return r.text(v.String())
	}
	var plain any
	if len(text) > min(maxReportString, r.left) || json.Unmarshal(text, &plain) != nil {
		return r.text(string(text))
	}
	r.left -= len(text)
	return plain
}

// jsonLen returns at most how long s is inside a JSON string.
func jsonLen(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '"', c == '\\', c == '<', c == '>', c == '&', c == 0x7f:
			n += 5
		case c == 0xe2: // may begin U+2028
			n += 3
		}
	}
	return n
}

// cut returns s as valid UTF-8 of at most limit bytes, with an ellipsis if something is missing.
func cut(s string, limit int) string {
	head := strings.ToValidUTF8(s[:min(len(s), limit+utf8.UTFMax)], "\uFFFD")
	if len(s) <= limit && len(head) <= limit {
		return head
	}
	n := min(limit-len(ellipsis), len(head))
	if n < 0 {
		return ""
	}
	for n < len(head) && !utf8.RuneStart(head[n]) {
		n--
	}
	return head[:n] + ellipsis
}
