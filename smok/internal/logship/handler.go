package logship

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
)

// handler renders records into its queue. It is immutable.
type handler struct {
	queue  *Queue
	groups []string // open
	fields []field  // of WithAttrs
}

// field is an attribute whose value is a text.
type field struct {
	key   string // with its groups: "request.id"
	value string
	bare  bool  // needs no quotes in JSON
	err   error // the value, if it is an error
}

// Enabled reports whether a record of this level is taken.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.queue.cfg.Level.Level() && !isOwn(ctx)
}

// Handle takes a record. It never fails.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if isOwn(ctx) { // a caller need not have asked Enabled
		return nil
	}
	fields := slices.Clip(h.fields)
	r.Attrs(func(a slog.Attr) bool {
		fields = h.appendAttr(fields, h.groups, a)
		return true
	})
	at := r.Time
	if at.IsZero() {
		at = time.Now()
	}
	message, exception := h.queue.render(r.Message, fields)
	h.queue.add(at, api.LogRecord{
		Service: h.queue.cfg.Service, Message: message, Level: levelOf(r.Level), ExceptionText: exception,
	})
	return nil
}

// WithAttrs returns a handler whose records have these attributes too.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	fields := slices.Clip(h.fields)
	for _, a := range attrs {
		fields = h.appendAttr(fields, h.groups, a)
	}
	return &handler{queue: h.queue, groups: h.groups, fields: fields}
}

// WithGroup returns a handler that puts further attributes into a group.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &handler{queue: h.queue, groups: append(slices.Clip(h.groups), name), fields: h.fields}
}

// maxNesting is how deep groups may be inside one another.
const maxNesting = 32

// appendAttr appends the fields that an attribute is made of: none, one, or those of its group.
func (h *handler) appendAttr(fields []field, groups []string, a slog.Attr) []field {
	a.Value = a.Value.Resolve()
	if replace := h.queue.cfg.ReplaceAttr; replace != nil && a.Value.Kind() != slog.KindGroup {
		a = replace(groups, a)
		a.Value = a.Value.Resolve()
	}
	if a.Equal(slog.Attr{}) || len(groups) > maxNesting {
		return fields
	}
	if a.Value.Kind() != slog.KindGroup {
		return append(fields, newField(groups, a))
	}
	if a.Key != "" {
		groups = append(slices.Clip(groups), a.Key)
	}
	for _, member := range a.Value.Group() {
		fields = h.appendAttr(fields, groups, member)
	}
	return fields
}

func newField(groups []string, a slog.Attr) field {
	f := field{key: strings.Join(append(slices.Clip(groups), a.Key), ".")}
	switch v := a.Value; v.Kind() {
	case slog.KindBool, slog.KindInt64, slog.KindUint64:
		f.value, f.bare = v.String(), true
	case slog.KindFloat64:
		f.value = v.String()
		f.bare = !math.IsNaN(v.Float64()) && !math.IsInf(v.Float64(), 0)
	case slog.KindTime:
		f.value = v.Time().Format(time.RFC3339Nano)
	case slog.KindDuration:
		f.value = v.Duration().String()
	default:
		f.err, _ = v.Any().(error)
		f.value = scrub(f.key, textOf(v.Any()))
	}
	return f
}

// textOf returns what a value says of itself. One that panics says that.
func textOf(v any) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprintf("!PANIC: %v", p)
		}
	}()
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case error:
		return v.Error()
	}
	return fmt.Sprintf("%+v", v)
}

// stackKey is the name of the attribute that joins an error's text.
const stackKey = "stack"

// render returns message and exception text of a record: the first error and a stack make up the latter, all other
// fields follow the message.
func (q *Queue) render(message string, fields []field) (text, exception string) {
	var b strings.Builder
	b.WriteString(shorten(scrub("", message)))
	stack, failed, written := "", false, 0
	for _, f := range fields {
		switch {
		case f.err != nil && !failed:
			exception, failed = f.value, true
			continue
		case f.key == stackKey && stack == "":
			stack = f.value
			continue
		case b.Len()+len(f.key) > maxText:
			continue // full
		}
		q.write(&b, f, written == 0)
		written++
	}
	if q.cfg.JSON && written > 0 {
		b.WriteByte('}')
	}
	if stack != "" {
		exception += "\n" + stack
	}
	return clean(b.String()), clean(shorten(strings.TrimPrefix(exception, "\n")))
}

// write writes one field behind the message.
func (q *Queue) write(b *strings.Builder, f field, first bool) {
	value := shorten(f.value)
	if !q.cfg.JSON {
		b.WriteString(" " + f.key + "=" + quoteIfNeeded(value))
		return
	}
	if first {
		b.WriteString(" {")
	} else {
		b.WriteByte(',')
	}
	b.WriteString(jsonString(f.key) + ":")
	if f.bare {
		b.WriteString(value)
		return
	}
	b.WriteString(jsonString(value))
}

func quoteIfNeeded(s string) string {
	if s == "" || strings.ContainsAny(s, " \"=\t\r\n") {
		return strconv.Quote(s)
	}
	return s
}

// Levels of the hub, which are those of Python.
const levelWarning = 30

// levelOf returns the level of the hub: 10 for debug, 20 for info, 30 for warn, 40 for error, and what lies between.
func levelOf(level slog.Level) int { return max(1, int(math.Round(float64(level)*2.5+20))) }
