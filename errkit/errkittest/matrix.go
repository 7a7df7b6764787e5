package errkittest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"reflect"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// checkClasses checks that the error matches its class and the classes above it, and no other one.
func checkClasses(m *Module, s *Sample) (p problems) {
	for _, f := range forms(s.Err) {
		p = append(p, compareClasses(m, s, f)...)
	}
	return p
}

func compareClasses(m *Module, s *Sample, f form) (p problems) {
	known := false
	for _, c := range m.Classes {
		known = known || c == s.Class
		if got, want := errors.Is(f.err, c), errors.Is(s.Class, c); got != want {
			p.addf("%s: errors.Is(err, %s) is %v, want %v", f.name, c.Code(), got, want)
		}
	}
	if !known {
		p.addf("class %s is missing in Module.Classes", s.Class.Code())
	}
	for _, c := range m.Foreign {
		if errors.Is(f.err, c) {
			p.addf("%s: it matches %s, a class of another module", f.name, c.Code())
		}
	}
	return p
}

// checkKinds checks each kind alone, and the questions that the kinds answer.
func checkKinds(_ *Module, s *Sample) (p problems) {
	for _, f := range forms(s.Err) {
		p = append(p, compareKinds(s, f)...)
		if got := errkit.KindOf(f.err); f.name != "joined" && got != s.Kinds {
			p.addf("%s: KindOf is %v, want %v", f.name, got, s.Kinds)
		}
	}
	if errors.Is(s.Err, errkit.Kind(0)) {
		p.addf("it matches the empty Kind")
	}
	want := errkit.Transient(s.Err)
	for _, f := range forms(s.Err)[1:3] {
		if got := errkit.Transient(f.err); got != want {
			p.addf("%s: Transient is %v, but %v for the error itself", f.name, got, want)
		}
	}
	return p
}

func compareKinds(s *Sample, f form) (p problems) {
	for k := errkit.Canceled; k <= errkit.NotSent; k <<= 1 {
		if got, want := errors.Is(f.err, k), s.Kinds.Has(k); got != want {
			p.addf("%s: errors.Is(err, %v) is %v, want %v", f.name, k, got, want)
		}
	}
	return p
}

// checkStandard checks the error against the standard library's ones.
func checkStandard(_ *Module, s *Sample) (p problems) {
	for _, f := range forms(s.Err) {
		p = append(p, compareStandard(s, f)...)
		for _, std := range causes {
			if got, want := errors.Is(f.err, std), errors.Is(errors.Unwrap(s.Err), std); got != want {
				p.addf("%s: errors.Is(err, %v) is %v, but %v for the cause", f.name, std, got, want)
			}
		}
	}
	marker := errors.New("marker")
	if !errors.Is(s.Build("", marker), marker) {
		return p // an error without a cause
	}
	for _, given := range causes {
		err := s.Build("", given)
		for _, std := range causes {
			if got := errors.Is(err, std); got != (given == std) {
				p.addf("built with cause %v: errors.Is(err, %v) is %v", given, std, got)
			}
		}
	}
	return p
}

// causes are the errors that match only if they are in the chain: they belong to the caller and to the layers
// below, not to the kinds.
var causes = []error{context.Canceled, context.DeadlineExceeded, io.EOF}

func compareStandard(s *Sample, f form) (p problems) {
	if got, want := errors.Is(f.err, os.ErrDeadlineExceeded), s.Kinds.Has(errkit.Timeout); got != want {
		p.addf("%s: errors.Is(err, os.ErrDeadlineExceeded) is %v, want %v", f.name, got, want)
	}
	if got, want := errors.Is(f.err, net.ErrClosed), s.Kinds.Has(errkit.Closed); got != want {
		p.addf("%s: errors.Is(err, net.ErrClosed) is %v, want %v", f.name, got, want)
	}
	ne, ok := errors.AsType[net.Error](f.err)
	if !ok {
		p.addf("%s: it is no net.Error", f.name)
	} else if got, want := ne.Timeout(), s.Kinds.Has(errkit.Timeout); got != want {
		p.addf("%s: Timeout() is %v, want %v", f.name, got, want)
	}
	return p
}

// checkTypes checks that the error is of each of its types, with one Info for all, and of no other type of the
// module.
func checkTypes(m *Module, s *Sample) (p problems) {
	own := make(map[reflect.Type]bool)
	for _, t := range s.Types {
		own[reflect.TypeOf(t)] = true
	}
	if !own[reflect.TypeOf(s.Err)] {
		p.addf("Sample.Types lacks %T", s.Err)
	}
	want := info(s.Err)
	for _, f := range forms(s.Err) {
		seen := make(map[reflect.Type]bool)
		for i := range m.Samples {
			for _, t := range m.Samples[i].Types {
				rt := reflect.TypeOf(t)
				if rt == nil || seen[rt] || rt.Kind() != reflect.Pointer || !rt.Implements(errorType) {
					continue
				}
				seen[rt] = true
				target := reflect.New(rt)
				got := errors.As(f.err, target.Interface())
				switch found, _ := target.Elem().Interface().(error); {
				case got != own[rt]:
					p.addf("%s: errors.As(err, *%v) is %v, want %v", f.name, rt, got, own[rt])
				case got && info(found) != want:
					p.addf("%s: as %v it has another Info: As must give a pointer into the error, no copy", f.name, rt)
				}
			}
		}
	}
	return p
}

// info returns the Info of err itself; nil if it has none.
func info(err error) *errkit.Info {
	if e, ok := err.(errkit.Error); ok {
		return e.ErrorInfo()
	}
	return nil
}
