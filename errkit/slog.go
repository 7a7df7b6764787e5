package errkit

import "log/slog"

// Attr returns err as a group under the key "error", for structured logs:
//
//	logger.LogAttrs(ctx, slog.LevelWarn, "sync failed", errkit.Attr(err))
//
// The group holds msg, class, kinds, op, target, the fields of the typed error, transient, retry_after and
// attempts; empty ones are left out. It is built when a handler writes the record, not before, and is the same
// for a wrapped error. The Attr of nil is empty, which handlers leave out.
//
// A typed error names its fields by the method ErrorAttrs() []slog.Attr. Errors of this house do not
// implement [slog.LogValuer], since a wrapped one would then look different in the log.
func Attr(err error) slog.Attr {
	if err == nil {
		return slog.Attr{}
	}
	return slog.Any("error", LogValue(err))
}

// LogValue returns the value of [Attr], for a key of the caller's choice.
func LogValue(err error) slog.LogValuer { return logValue{err} }

type logValue struct{ err error }

func (v logValue) LogValue() slog.Value {
	if v.err == nil {
		return slog.GroupValue()
	}
	s := summarize(v.err)
	s.code, s.kinds = CodeOf(v.err), KindOf(v.err)
	s.retryAfter, _ = RetryAfter(v.err)
	attrs := append([]slog.Attr{slog.String("msg", oneLine(v.err))}, s.attrs()...)
	return slog.GroupValue(append(attrs, slog.Bool("transient", Transient(v.err)))...)
}
