package errkittest

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/fieldlink-go/fieldlink/errkit"
)

const maxReport = 64 << 10

// checkReport checks that the error is still itself after it crossed a process boundary.
func checkReport(m *Module, s *Sample) (p problems) {
	for _, f := range forms(s.Err) {
		text := encode(errkit.NewReport(f.err))
		p = append(p, compareReport(m, s, f, f.name, text)...)
		newer := append([]byte(`{"colour":["blue",{"deep":1}],"v":7,`), bytes.Replace(text[1:], []byte(`"v":1,`), nil, 1)...)
		p = append(p, compareReport(m, s, f, f.name+", from a newer program", newer)...)
	}
	deep := s.Err
	for range 10_000 {
		deep = &layer{deep}
	}
	p = append(p, compareReport(m, s, form{"10,000 deep", deep}, "10,000 deep", encode(errkit.NewReport(deep)))...)
	huge := s.Build("", errors.New(long()))
	if n := len(encode(errkit.NewReport(huge))); n > maxReport {
		p.addf("a cause of 10 MB makes a report of %d bytes, more than 64 KiB", n)
	}
	return p
}

func compareReport(m *Module, s *Sample, f form, what string, text []byte) (p problems) {
	var r *errkit.Report
	if err := json.Unmarshal(text, &r); err != nil {
		p.addf("%s: the report cannot be read: %v", what, err)
		return p
	}
	remote := form{what + ", reported", r.Err()}
	p = append(p, compareClasses(m, s, remote)...)
	p = append(p, compareKinds(s, remote)...)
	p = append(p, compareStandard(s, remote)...)
	if !errors.Is(remote.err, errkit.Err) {
		p.addf("%s: it does not match errkit.Err", remote.name)
	}
	if got, want := errkit.CodeOf(remote.err), s.Class.Code(); got != want {
		p.addf("%s: CodeOf is %q, want %q", remote.name, got, want)
	}
	if got, want := errkit.KindOf(remote.err), errkit.KindOf(f.err); got != want {
		p.addf("%s: KindOf is %v, want %v", remote.name, got, want)
	}
	if got, want := errkit.Transient(remote.err), errkit.Transient(f.err); got != want {
		p.addf("%s: Transient is %v, want %v", remote.name, got, want)
	}
	got, _ := errkit.RetryAfter(remote.err)
	if want, _ := errkit.RetryAfter(f.err); got.Milliseconds() < want.Milliseconds() {
		p.addf("%s: RetryAfter is %v, want %v", remote.name, got, want)
	}
	return p
}

// layer is a layer of a deep error.
type layer struct{ cause error }

func (l *layer) Error() string { return "deep" }
func (l *layer) Unwrap() error { return l.cause }

// encode returns the JSON of a report; a failure is text that no check accepts.
func encode(r *errkit.Report) []byte {
	text, err := json.Marshal(r)
	if err != nil {
		return []byte(err.Error())
	}
	return text
}
