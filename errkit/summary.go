package errkit

import (
	"log/slog"
	"maps"
	"slices"
	"time"
)

// summary is what one error says of itself, as logs and reports show it. Its text is not part of it.
type summary struct {
	own        bool // a layer of this house was found
	code       string
	kinds      Kind
	op         string
	target     string
	attempts   int
	retryAfter time.Duration
	fields     []slog.Attr
	causes     []error
}

// summarize returns the summary of the outermost layer of this house. The layers above it add nothing but
// text. If joined errors come first, they are the causes; if neither comes, the text of err says it all.
func summarize(err error) summary {
	err = CleanCause(err)
	for range maxLayers {
		if _, own := ownKinds(err); own || err == nil {
			break
		}
		members, cause := unwrap(err)
		if members != nil {
			return summary{kinds: KindOf(err), causes: members}
		}
		if cause == nil {
			break
		}
		err = cause
	}
	s := summarizeLayer(err)
	if s.own {
		s.causes = causesOf(err)
	}
	return s
}

// summarizeLayer returns the summary of err without its causes. Of an error that offers another one by its As
// method it takes only what has no text: the text of such an error was hidden on purpose.
func summarizeLayer(err error) summary {
	kinds, own := ownKinds(err)
	if !own {
		return summary{}
	}
	s := summary{own: true, code: ownCode(err), kinds: kinds, retryAfter: ownRetryAfter(err)}
	switch e := err.(type) {
	case Error:
		i := e.ErrorInfo()
		s.op, s.target, s.attempts = i.Op, i.Target, i.Attempts
		if x, ok := err.(interface{ ErrorAttrs() []slog.Attr }); ok {
			s.fields = x.ErrorAttrs()
		}
	case *Remote:
		r := &e.Report
		s.op, s.target, s.attempts = r.Op, r.Target, r.Attempts
		for _, key := range slices.Sorted(maps.Keys(r.Fields)) {
			s.fields = append(s.fields, slog.Any(key, r.Fields[key]))
		}
	}
	return s
}

// attrs returns the parts of s that are not empty, the error's own fields among them.
func (s *summary) attrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, 8+len(s.fields))
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	text("class", s.code)
	if names := s.kinds.Names(); names != nil {
		attrs = append(attrs, slog.Any("kinds", names))
	}
	text("op", s.op)
	text("target", s.target)
	attrs = append(attrs, s.fields...)
	if s.retryAfter > 0 {
		text("retry_after", s.retryAfter.String())
	}
	if s.attempts > 0 {
		attrs = append(attrs, slog.Int("attempts", s.attempts))
	}
	return attrs
}

// causesOf returns what err was caused by, one error or several.
func causesOf(err error) []error {
	members, cause := unwrap(err)
	if _, own := ownKinds(cause); !own && cause != nil {
		members, _ = unwrap(CleanCause(cause)) // joined causes
	}
	if cause != nil && members == nil {
		return []error{cause}
	}
	return members
}
