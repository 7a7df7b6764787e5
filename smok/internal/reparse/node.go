package reparse

// node is a part of an expression.
type node interface {
	eval(args []Value) (Value, error)
}

type constant Value

func (c constant) eval([]Value) (Value, error) { return Value(c), nil }

// argument is one of v0, v1 and so on.
type argument int

func (a argument) eval(args []Value) (Value, error) {
	if int(a) >= len(args) {
		return Value{}, errArgs
	}
	return args[a], nil
}

// failure is a name that does not exist. That matters only if its value is needed.
type failure struct{ err error }

func (f failure) eval([]Value) (Value, error) { return Value{}, f.err }

type unary struct {
	f func(Value) (Value, error)
	x node
}

func (u *unary) eval(args []Value) (Value, error) {
	x, err := u.x.eval(args)
	if err != nil {
		return Value{}, err
	}
	return u.f(x)
}

type binary struct {
	f    func(a, b Value) (Value, error)
	x, y node
}

func (b *binary) eval(args []Value) (Value, error) {
	x, err := b.x.eval(args)
	if err != nil {
		return Value{}, err
	}
	y, err := b.y.eval(args)
	if err != nil {
		return Value{}, err
	}
	return b.f(x, y)
}

// logic gives the first operand that decides.
type logic struct {
	or   bool
	x, y node
}

func (l *logic) eval(args []Value) (Value, error) {
	x, err := l.x.eval(args)
	if err != nil || x.truth() == l.or {
		return x, err
	}
	return l.y.eval(args)
}

type conditional struct{ test, yes, no node }

func (c *conditional) eval(args []Value) (Value, error) {
	test, err := c.test.eval(args)
	if err != nil {
		return Value{}, err
	}
	if test.truth() {
		return c.yes.eval(args)
	}
	return c.no.eval(args)
}

// comparison is a < b < c and so on: true if each pair is.
type comparison struct {
	first node
	chain []link
}

type link struct {
	relation relation
	x        node
}

func (c *comparison) eval(args []Value) (Value, error) {
	left, err := c.first.eval(args)
	if err != nil {
		return Value{}, err
	}
	for _, l := range c.chain {
		right, err := l.x.eval(args)
		if err != nil {
			return Value{}, err
		}
		holds, err := l.relation.holds(left, right)
		if err != nil || !holds {
			return ofBool(false), err
		}
		left = right
	}
	return ofBool(true), nil
}

// extreme is min or max: the first of the values that no other is beyond.
type extreme struct {
	beyond relation
	args   []node
}

func (m *extreme) eval(args []Value) (Value, error) {
	best, err := m.args[0].eval(args)
	if err != nil {
		return Value{}, err
	}
	for _, x := range m.args[1:] {
		v, err := x.eval(args)
		if err != nil {
			return Value{}, err
		}
		better, err := m.beyond.holds(v, best)
		if err != nil {
			return Value{}, err
		}
		if better {
			best = v
		}
	}
	return best, nil
}
