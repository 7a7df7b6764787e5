package errkittest

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// checkTree checks the classes of the module, and that each of them has a sample at or below it.
func checkTree(m *Module) (p problems) {
	if m.Base == nil {
		p.addf("Module.Base is nil")
		return p
	}
	if m.Base.Parent() != errkit.Err {
		p.addf("the base %s is not a child of errkit.Err", m.Base.Code())
	}
	if len(m.Samples) == 0 {
		p.addf("there are no samples")
	}
	for _, c := range m.Classes {
		if !errors.Is(c, m.Base) || !strings.HasPrefix(c.Code(), m.Base.Code()) {
			p.addf("class %s is not below %s", c.Code(), m.Base.Code())
		}
		if c != m.Base && c.Text() == "" {
			p.addf("class %s has no text", c.Code())
		}
		sampled := false
		for i := range m.Samples {
			sampled = sampled || m.Samples[i].Class != nil && errors.Is(m.Samples[i].Class, c)
		}
		if !sampled {
			p.addf("no sample is of class %s", c.Code())
		}
	}
	for _, c := range m.Foreign {
		if errors.Is(c, m.Base) {
			p.addf("class %s is the module's own, not a foreign one", c.Code())
		}
	}
	return p
}

// checkComplete checks that the sample says all that the other rules ask.
func checkComplete(s *Sample) (p problems) {
	if s.Name == "" {
		p.addf("Sample.Name is empty")
	}
	if v := reflect.ValueOf(s.Err); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		p.addf("Sample.Err is nil")
	} else if v.Kind() != reflect.Pointer {
		p.addf("%T is not a pointer: errors are pointers in this house, so that errors.As finds them", s.Err)
	}
	if s.Class == nil {
		p.addf("Sample.Class is nil")
	}
	if s.Build == nil {
		p.addf("Sample.Build is nil")
	}
	if len(s.Types) == 0 {
		p.addf("Sample.Types is empty")
	}
	for _, t := range s.Types {
		if rt := reflect.TypeOf(t); rt == nil || rt.Kind() != reflect.Pointer || !rt.Implements(errorType) {
			p.addf("Sample.Types has %T, which is no pointer to an error type", t)
		}
	}
	return p
}

var errorType = reflect.TypeFor[error]()

// checkShape checks that the error is a typed one of the module and has no methods that confuse loggers.
func checkShape(m *Module, s *Sample) (p problems) {
	typed, ok := s.Err.(errkit.Error)
	if !ok {
		p.addf("%T is no errkit.Error: it must embed errkit.Info", s.Err)
		return p
	}
	switch i := typed.ErrorInfo(); {
	case i == nil:
		p.addf("ErrorInfo is nil")
	case i != typed.ErrorInfo():
		p.addf("ErrorInfo gives another Info each time")
	case i.Class != s.Class:
		p.addf("the class is %s, want %s", code(i.Class), s.Class.Code())
	case !errors.Is(i.Class, m.Base):
		p.addf("class %s is not below %s", i.Class.Code(), m.Base.Code())
	}
	for _, f := range forms(s.Err) {
		if !errors.Is(f.err, errkit.Err) {
			p.addf("%s: it does not match errkit.Err", f.name)
		}
		if found, ok := errors.AsType[errkit.Error](f.err); !ok || found != typed {
			p.addf("%s: errors.AsType[errkit.Error] does not find it", f.name)
		}
		if got := errkit.CodeOf(f.err); got != s.Class.Code() {
			p.addf("%s: CodeOf is %q, want %q", f.name, got, s.Class.Code())
		}
	}
	if x, y := s.Build("", nil), s.Build("", nil); x == y {
		p.addf("Build gives the same error twice: errors are neither pooled nor changed after they are returned")
	}
	return append(p, checkMethods(s.Err)...)
}

func checkMethods(err error) (p problems) {
	forbidden := func(has bool, what string) {
		if has {
			p.addf("%T is a %s: a wrapped error would be shown in another way", err, what)
		}
	}
	_, has := err.(fmt.Formatter)
	forbidden(has, "fmt.Formatter")
	_, has = err.(slog.LogValuer)
	forbidden(has, "slog.LogValuer")
	_, has = err.(json.Marshaler)
	forbidden(has, "json.Marshaler")
	_, has = err.(encoding.TextMarshaler)
	forbidden(has, "encoding.TextMarshaler")
	return p
}

func code(c *errkit.Class) string {
	if c == nil {
		return "nil"
	}
	return c.Code()
}
