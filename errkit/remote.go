package errkit

import (
	"strings"
	"time"
)

// Remote is an error that another process reported. It matches the kinds and the classes of the error there,
// classes by their code; its causes are Remotes too. It cannot become the typed error that it was there:
// Report.Fields has the fields.
//
// The report is the peer's word. A Remote is read-only, like all errors of this house.
type Remote struct {
	Report Report
}

// Error returns the message of the report as one line of at most 1 KiB.
func (e *Remote) Error() string {
	var b textBuilder
	b.add(e.Report.Message)
	if b.n == 0 {
		b.part(e.Report.Class)
		b.part(e.Kinds().Error())
	}
	return b.text()
}

// Unwrap returns the causes, each a *Remote.
func (e *Remote) Unwrap() []error {
	if len(e.Report.Causes) == 0 {
		return nil
	}
	causes := make([]error, 0, len(e.Report.Causes))
	for _, r := range e.Report.Causes {
		if r != nil {
			causes = append(causes, &Remote{Report: *r})
		}
	}
	return causes
}

// Is reports whether target is a [Kind] that the report has, a class with the reported code or above it, or a
// standard error that stands for one of the kinds. [Err] matches every report that has a class.
func (e *Remote) Is(target error) bool {
	switch t := target.(type) {
	case Kind:
		return e.Kinds().Has(t)
	case *Class:
		return t != nil && e.under(t)
	}
	return e.Kinds().isStandard(target)
}

func (e *Remote) under(c *Class) bool {
	if c == Err {
		return e.Report.Class != ""
	}
	below, ok := strings.CutPrefix(e.Report.Class, c.code)
	return ok && (below == "" || below[0] == '.')
}

// Kinds returns the reported kinds.
func (e *Remote) Kinds() Kind { return KindFromNames(e.Report.Kinds...) }

// ClassCode returns the reported class.
func (e *Remote) ClassCode() string { return e.Report.Class }

// Transient returns what the reporting process said about trying again.
func (e *Remote) Transient() bool { return e.Report.Transient }

// RetryAfter returns how long the reporting process was asked to wait; 0 if it was not.
func (e *Remote) RetryAfter() time.Duration { return e.Report.RetryAfter }

// Timeout reports whether the error has the kind [Timeout]. With Temporary it makes a Remote a [net.Error].
func (e *Remote) Timeout() bool { return e.Kinds().Has(Timeout) }

// Temporary returns the same as [Remote.Transient].
func (e *Remote) Temporary() bool { return e.Report.Transient }
