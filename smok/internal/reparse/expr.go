package reparse

import (
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// Options says how expressions are computed. The zero value is as described.
type Options struct {
	// LegacyFloat makes mkflt put the bytes together in the reverse order, as the original does on most machines.
	LegacyFloat bool

	// Coerce makes the result a value of the type that the name says. Without it the result is what the expression
	// gives.
	Coerce bool
}

// Expr is the name of a computed pathpoint, ready to be computed. It may be used from several goroutines.
type Expr struct {
	name  string
	typ   value.Type
	paths []string
	root  node
	opts  Options
}

// Compile reads the name of a computed pathpoint. Nil options mean the defaults. What is no such name, of no pathpoint,
// or in no way an expression is an *[smokerr.InvalidArgumentError]; names and functions that do not exist are found when
// they are needed.
func Compile(name string, opts *Options) (*Expr, error) {
	typ, err := value.TypeOf(name)
	if err != nil {
		return nil, err
	}
	if !value.IsReparse(name) {
		return nil, invalid("does not begin with r", nil)
	}
	code, paths, err := split(name[2:])
	if err != nil {
		return nil, err
	}
	x := &Expr{name: name, typ: typ, paths: paths}
	if opts != nil {
		x.opts = *opts
	}
	if x.root, err = parse(code, len(paths), x.opts); err != nil {
		return nil, invalid("is no expression", err)
	}
	return x, nil
}

// Name returns the name of the pathpoint.
func (x *Expr) Name() string { return x.name }

// Type returns the type that the name says.
func (x *Expr) Type() value.Type { return x.typ }

// Paths returns the names of the pathpoints it is computed from, in the order of the expression, some of them perhaps
// several times. The caller must not change it.
func (x *Expr) Paths() []string { return x.paths }

// Eval computes the pathpoint from a value for each of [Expr.Paths]. A division by zero, types that do not go together,
// names that do not exist and results that are too large are *[smokerr.OperationFailedError] of reason type.
func (x *Expr) Eval(values []any) (any, error) {
	args := make([]Value, len(values))
	for i, v := range values {
		var err error
		if args[i], err = Of(v); err != nil {
			return nil, x.fail(err)
		}
	}
	result, err := x.EvalValues(args)
	if err != nil {
		return nil, err
	}
	if x.opts.Coerce {
		v, err := x.typ.Coerce(result.Any())
		if err != nil {
			return nil, x.fail(err)
		}
		return v, nil
	}
	v, err := value.Canonical(result.Any())
	if err != nil {
		return nil, x.fail(err)
	}
	return v, nil
}

// EvalValues is [Expr.Eval] without conversions: computing with numbers allocates nothing. Options.Coerce plays no part.
func (x *Expr) EvalValues(args []Value) (Value, error) {
	result, err := x.root.eval(args)
	if err != nil {
		return Value{}, x.fail(err)
	}
	return result, nil
}

func (x *Expr) fail(cause error) error {
	return smokerr.OperationFailed("reparse", x.name, smokerr.ReasonType, time.Time{}, cause)
}
