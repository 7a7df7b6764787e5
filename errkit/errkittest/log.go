package errkittest

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// checkSlog checks the structured form of the error, and that it costs nothing when it is not written.
func checkSlog(_ *Module, s *Sample) (p problems) {
	for _, f := range forms(s.Err) {
		p = append(p, compareLog(s, f)...)
		var text bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Warn("test", errkit.Attr(f.err))
		if want := "error.class=" + s.Class.Code(); !strings.Contains(text.String(), want) {
			p.addf("%s: the text log lacks %s: %s", f.name, want, text.String())
		}
	}
	for _, a := range attrs(s.Err) {
		if slices.Contains(reserved, a.Key) {
			p.addf("ErrorAttrs uses the key %q, which is errkit's own", a.Key)
		}
	}
	return append(p, checkLazy(s)...)
}

// reserved are the keys that errkit itself puts into the group.
var reserved = []string{"msg", "class", "kinds", "op", "target", "transient", "retry_after", "attempts"}

func attrs(err error) []slog.Attr {
	if x, ok := err.(interface{ ErrorAttrs() []slog.Attr }); ok {
		return x.ErrorAttrs()
	}
	return nil
}

func compareLog(s *Sample, f form) (p problems) {
	var line bytes.Buffer
	slog.New(slog.NewJSONHandler(&line, nil)).Warn("test", errkit.Attr(f.err))
	var record struct {
		Error map[string]any `json:"error"`
	}
	if err := json.Unmarshal(line.Bytes(), &record); err != nil {
		p.addf("%s: the JSON log cannot be read: %v", f.name, err)
		return p
	}
	group := record.Error
	if group["class"] != s.Class.Code() {
		p.addf("%s: the log has class %v, want %s", f.name, group["class"], s.Class.Code())
	}
	if text, _ := group["msg"].(string); text == "" || strings.ContainsAny(text, "\r\n") {
		p.addf("%s: the log has msg %q", f.name, text)
	}
	var names []string
	list, _ := group["kinds"].([]any)
	for _, name := range list {
		text, _ := name.(string)
		names = append(names, text)
	}
	if got, want := errkit.KindFromNames(names...), errkit.KindOf(f.err); got != want {
		p.addf("%s: the log has kinds %v, want %v", f.name, got, want)
	}
	if got, want := group["transient"], errkit.Transient(f.err); got != want {
		p.addf("%s: the log has transient %v, want %v", f.name, got, want)
	}
	for _, a := range attrs(s.Err) {
		if _, ok := group[a.Key]; !ok && f.name != "joined" && !a.Equal(slog.Attr{}) {
			p.addf("%s: the log lacks the field %s", f.name, a.Key)
		}
	}
	return p
}

// checkLazy checks that the fields are asked for only when a record is written.
func checkLazy(s *Sample) (p problems) {
	typed, ok := s.Err.(errkit.Error)
	if !ok {
		return nil
	}
	probe := &probe{typedError: typed}
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))
	logger.LogAttrs(context.Background(), slog.LevelInfo, "test", errkit.Attr(probe))
	if probe.asked != 0 {
		p.addf("ErrorAttrs was called for a record that is not written")
	}
	logger.LogAttrs(context.Background(), slog.LevelWarn, "test", errkit.Attr(probe))
	if probe.asked == 0 {
		p.addf("ErrorAttrs was not called for a record that is written")
	}
	return p
}

// probe is an error that counts how often its fields are asked for.
type probe struct {
	typedError
	asked int
}

type typedError = errkit.Error // under another name, since the method Error must be promoted

func (p *probe) ErrorAttrs() []slog.Attr {
	p.asked++
	return attrs(p.typedError)
}
