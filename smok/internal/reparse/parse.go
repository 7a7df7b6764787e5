package reparse

import (
	"errors"
	"fmt"
	"strconv"
)

// parser reads an expression, from the loosest operators down to the tightest, as the grammar of Python has them.
type parser struct {
	lexer lexer
	token token // the next one
	args  int
	depth int
	opts  Options
}

// parse reads an expression with so many arguments.
func parse(code string, args int, opts Options) (node, error) {
	p := &parser{lexer: lexer{code}, args: args, opts: opts}
	if err := p.advance(); err != nil {
		return nil, err
	}
	root, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.token.class != atEnd {
		return nil, p.unexpected()
	}
	return root, nil
}

func (p *parser) advance() (err error) {
	p.token, err = p.lexer.next()
	return err
}

// accept goes on if the next token is that keyword or operator.
func (p *parser) accept(text string) (bool, error) {
	if (p.token.class != operator && p.token.class != name) || p.token.text != text {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(text string) error {
	ok, err := p.accept(text)
	if err == nil && !ok {
		return p.unexpected()
	}
	return err
}

func (p *parser) unexpected() error {
	switch p.token.class {
	case atEnd:
		return errors.New("unexpected end")
	case literal:
		return errors.New("unexpected number or text")
	}
	return fmt.Errorf("unexpected %.32q", p.token.text)
}

// deeper limits how deep the parser, and later the evaluation, calls itself.
func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return errors.New("nested too deep")
	}
	return nil
}

// expression is: or_test ["if" or_test "else" expression].
func (p *parser) expression() (node, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	yes, err := p.or()
	if err != nil {
		return nil, err
	}
	if ok, err := p.accept("if"); err != nil || !ok {
		return yes, err
	}
	test, err := p.or()
	if err != nil {
		return nil, err
	}
	if err := p.expect("else"); err != nil {
		return nil, err
	}
	no, err := p.expression()
	if err != nil {
		return nil, err
	}
	return &conditional{test, yes, no}, nil
}

func (p *parser) or() (node, error) { return p.logic("or", p.and) }

func (p *parser) and() (node, error) { return p.logic("and", p.not) }

// logic is a list of operands with "and" or "or" between them.
func (p *parser) logic(word string, operand func() (node, error)) (node, error) {
	left, err := operand()
	for err == nil {
		var more bool
		if more, err = p.accept(word); err != nil || !more {
			break
		}
		var right node
		right, err = operand()
		left = &logic{or: word == "or", x: left, y: right}
	}
	return left, err
}

func (p *parser) not() (node, error) {
	ok, err := p.accept("not")
	if err != nil {
		return nil, err
	}
	if !ok {
		return p.comparison()
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	x, err := p.not()
	return &unary{not, x}, err
}

var comparisons = map[string]relation{
	"<": less, "<=": lessEqual, ">": greater, ">=": greaterEqual, "==": equal, "!=": notEqual,
}

func (p *parser) comparison() (node, error) {
	first, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	var chain []link
	for p.token.class == operator {
		relation, ok := comparisons[p.token.text]
		if !ok {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		chain = append(chain, link{relation, right})
	}
	if chain == nil {
		return first, nil
	}
	return &comparison{first, chain}, nil
}

// levels has the binary operators that are grouped from the left, from the loosest to the tightest.
var levels = []map[string]func(a, b Value) (Value, error){
	{"|": bitOr},
	{"^": bitXor},
	{"&": bitAnd},
	{"<<": shiftLeft, ">>": shiftRight},
	{"+": add, "-": subtract},
	{"*": multiply, "/": divide, "//": floorDivide, "%": modulo},
}

func (p *parser) binary(level int) (node, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil && p.token.class == operator {
		f, ok := levels[level][p.token.text]
		if !ok {
			break
		}
		if err = p.advance(); err != nil {
			break
		}
		var right node
		right, err = p.binary(level + 1)
		left = &binary{f, left, right}
	}
	return left, err
}

var unaries = map[string]func(Value) (Value, error){"-": negate, "+": identity, "~": invert}

func (p *parser) unary() (node, error) {
	f, ok := unaries[p.token.text]
	if p.token.class != operator || !ok {
		return p.power()
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return nil, err
	}
	x, err := p.unary()
	return &unary{f, x}, err
}

// power binds tighter than a sign on its left and looser than one on its right.
func (p *parser) power() (node, error) {
	base, err := p.atom()
	if err != nil {
		return nil, err
	}
	if ok, err := p.accept("**"); err != nil || !ok {
		return base, err
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	exponent, err := p.unary()
	return &binary{power, base, exponent}, err
}

// reserved are the words of Python that are no names.
var reserved = map[string]bool{
	"and": true, "or": true, "not": true, "if": true, "else": true, "is": true, "in": true, "lambda": true, "for": true,
	"await": true, "yield": true, "import": true, "del": true, "def": true, "class": true, "return": true,
}

func (p *parser) atom() (node, error) {
	t := p.token
	switch {
	case t.class == literal:
		return constant(t.value), p.advance()
	case t.class == operator && t.text == "(":
		if err := p.advance(); err != nil {
			return nil, err
		}
		x, err := p.expression()
		if err != nil {
			return nil, err
		}
		return x, p.expect(")")
	case t.class == name && !reserved[t.text]:
		if err := p.advance(); err != nil {
			return nil, err
		}
		if ok, err := p.accept("("); err != nil || ok {
			return p.call(t.text, err)
		}
		return p.name(t.text), nil
	}
	return nil, p.unexpected()
}

// name returns what a name stands for.
func (p *parser) name(text string) node {
	switch text {
	case "True":
		return constant(ofBool(true))
	case "False":
		return constant(ofBool(false))
	case "None":
		return constant(Value{})
	}
	if text[0] == 'v' {
		if i, err := strconv.Atoi(text[1:]); err == nil && i < p.args && strconv.Itoa(i) == text[1:] {
			return argument(i)
		}
	}
	return failure{errName}
}

// call reads the arguments of a function.
func (p *parser) call(function string, err error) (node, error) {
	if err != nil {
		return nil, err
	}
	var args []node
	for {
		if ok, err := p.accept(")"); err != nil || ok {
			return makeCall(function, args, p.opts), err
		}
		x, err := p.expression()
		if err != nil {
			return nil, err
		}
		args = append(args, x)
		if ok, err := p.accept(","); err != nil || ok {
			if err != nil {
				return nil, err
			}
			continue
		}
		return makeCall(function, args, p.opts), p.expect(")")
	}
}
