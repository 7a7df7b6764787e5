package errkit

import (
	"strings"
	"sync"
)

// Class is a named node of a module's error tree, one for each sort of error that a caller may want to name.
// A Class is itself an error, so that it serves as a target of [errors.Is]: every error of the class and of
// the classes below it matches.
//
// Classes are made once, as package variables, with [NewClass] and [Class.New]. They never change and may be
// used from several goroutines.
type Class struct {
	code   string
	text   string
	parent *Class
	kind   Kind // own kinds and those of the ancestors

	mu    sync.Mutex
	names map[string]struct{} // of the children, to refuse duplicates
}

// Err is the root of all error trees: every error of every module matches it.
var Err = &Class{code: "fieldlink", text: "error"}

// NewClass makes the base class of a module, a child of [Err].
//
// The code is the module's name: lower-case letters and digits, starting with a letter. It begins the text of
// every error of the module and the codes of all its classes. The text may be empty; k holds the kinds that
// all errors of the module have, usually none. NewClass panics if the code is illegal or taken, since that is
// a mistake in the program text.
func NewClass(code, text string, k Kind) *Class {
	Err.adopt(code)
	return &Class{code: code, text: text, parent: Err, kind: k}
}

// New makes a child of c. Its code is the code of c, a dot and name; it has the kinds of c and k. The name is
// made of lower-case letters and digits and starts with a letter; New panics if it is not, or if c has a child
// of that name.
func (c *Class) New(name, text string, k Kind) *Class {
	c.adopt(name)
	return &Class{code: c.code + "." + name, text: text, parent: c, kind: c.kind | k}
}

func (c *Class) adopt(name string) {
	if !legalName(name) {
		panic("errkit: illegal class name " + name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.names[name]; taken {
		panic("errkit: duplicate class name " + name + " below " + c.code)
	}
	if c.names == nil {
		c.names = make(map[string]struct{})
	}
	c.names[name] = struct{}{}
}

func legalName(s string) bool {
	for i := range len(s) {
		letter := s[i] >= 'a' && s[i] <= 'z'
		digit := s[i] >= '0' && s[i] <= '9'
		if !letter && (!digit || i == 0) {
			return false
		}
	}
	return s != ""
}

// Code returns the dotted name of the class, such as "pikvm.api.auth". It is stable between releases and the
// only identity of a class that crosses a process boundary.
func (c *Class) Code() string { return c.code }

// Text returns what the class says of its errors, such as "authentication refused".
func (c *Class) Text() string { return c.text }

// Parent returns the class above c; nil for [Err].
func (c *Class) Parent() *Class { return c.parent }

// Kind returns the kinds of the class and of its ancestors.
func (c *Class) Kind() Kind { return c.kind }

// Error returns the module's name and the text of the class.
func (c *Class) Error() string {
	if c.text == "" {
		return c.module()
	}
	return c.module() + ": " + c.text
}

// Is reports whether target is c, an ancestor of c, a [Kind] that c has, or a standard error that stands for
// one of its kinds.
func (c *Class) Is(target error) bool {
	switch t := target.(type) {
	case Kind:
		return c.kind.Has(t)
	case *Class:
		return c.under(t)
	}
	return c.kind.isStandard(target)
}

// Wrap returns an error of class c without fields of its own, a *[Basic]. The op names what was tried, such as
// "atx.Click". The target names with whom: a host, a name, or a URL that went through package redact. The cause
// may be nil; see [TransportKind] for what its kinds add.
func (c *Class) Wrap(op, target string, cause error) error {
	return &Basic{Info{Class: c, Op: op, Target: target, Kind: TransportKind(cause), Err: CleanCause(cause)}}
}

func (c *Class) under(ancestor *Class) bool {
	for ; c != nil; c = c.parent {
		if c == ancestor {
			return true
		}
	}
	return false
}

// module returns the first part of the code.
func (c *Class) module() string {
	name, _, _ := strings.Cut(c.code, ".")
	return name
}
