package errkittest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
)

// trees are the error trees of the five SDKs with all their types and refinements, built here by themselves: what
// errkit promises must hold for each, and side by side.
var trees = []errkittest.Module{smokTree, ngttTree, wsclientTree, sioclientTree, pikvmTree}

func TestTrees(t *testing.T) {
	for i, m := range trees {
		t.Run(m.Base.Code(), func(t *testing.T) {
			for k, other := range trees {
				if k != i {
					m.Foreign = append(m.Foreign, other.Classes...)
				}
			}
			errkittest.Run(t, m)
		})
	}
}

// row makes a sample of an error that is built from its Info: with an op, a target and a cause that has no kinds,
// unless the target is empty. Build makes it the way a module does.
func row(name string, class *errkit.Class, kinds errkit.Kind, op, target, text string,
	build func(errkit.Info) error, types ...any,
) errkittest.Sample {
	i := errkit.Info{Class: class, Op: op, Target: target, Err: errBoom}
	if target == "" {
		i.Err = nil
	}
	return errkittest.Sample{
		Name: name, Class: class, Kinds: kinds, Text: text, Types: types,
		Err: build(i),
		Build: func(target string, cause error) error {
			return build(errkit.Info{
				Class: class, Op: op, Target: redact.URLString(target), Kind: errkit.TransportKind(cause), Err: errkit.CleanCause(cause),
			})
		},
	}
}

var errBoom = errors.New("boom")

// plain builds the error of a class without fields.
func plain(i errkit.Info) error { return &errkit.Basic{Info: i} }

var plainType = (*errkit.Basic)(nil)

// An error of the link below is an error of both modules once it has left the upper one.
func TestErrorOfTwoModules(t *testing.T) {
	link := &ngttConnectionFailed{
		Info: errkit.Info{Class: ngttErrConnectionFailed, Op: "connect", Kind: errkit.Connection | errkit.NotSent}, NoInternet: true,
	}
	err := &smokSync{Info: errkit.Info{Class: smokErrSync, Op: "sync", Kind: errkit.TransportKind(link), Err: link}, What: "events"}
	for _, target := range []error{smokErr, smokErrSync, ngttErr, ngttErrConnectionFailed, errkit.Err, errkit.Connection, errkit.NotSent} {
		if !errors.Is(fmt.Errorf("x: %w", err), target) {
			t.Errorf("it does not match %v", target)
		}
	}
	if got, ok := errors.AsType[*ngttConnectionFailed](err); !ok || got != link {
		t.Error("the link's error is not in it")
	}
	if got := errkit.CodeOf(err); got != "smok.sync" {
		t.Errorf("its code is %q", got)
	}
}

// Several namespaces that were refused at once are joined below one error.
func TestErrorsBesideEachOther(t *testing.T) {
	refuse := func(namespace string) error {
		return &sioConnectionRefused{sioConnection{Info: errkit.Info{Class: sioErrConnectionRefused, Target: namespace}}, "no", nil}
	}
	err := &sioConnection{
		Info:       errkit.Info{Class: sioErrConnection, Op: "connect", Err: errors.Join(refuse("/a"), refuse("/b"))},
		Namespaces: []string{"/a", "/b"},
	}
	var targets []string
	for e := range errkit.All[*sioConnectionRefused](err) {
		targets = append(targets, e.Target)
	}
	if fmt.Sprint(targets) != "[/a /b]" {
		t.Errorf("refused were %v", targets)
	}
	if there := errkit.NewReport(err).Err(); !errors.Is(there, sioErrConnectionRefused) || len(errkit.NewReport(there).Causes) != 2 {
		t.Error("the report has lost them")
	}
}

// A limit of the SDK and the deadline of the caller are told apart.
func TestOwnLimitAndCallersDeadline(t *testing.T) {
	ctx, cancel := contextDone()
	defer cancel()
	limit := &wsTimeout{Info: errkit.Info{Class: wsErrTimeout, Op: "ping"}, Limit: time.Second}
	caller := &wsTimeout{Info: errkit.Info{Class: wsErrTimeout, Op: "ping", Err: errkit.FromContext(ctx)}}
	if errors.Is(limit, ctx.Err()) || !errors.Is(caller, ctx.Err()) {
		t.Error("the caller's deadline does not tell them apart")
	}
	if !errors.Is(limit, errkit.Timeout) || !errors.Is(caller, errkit.Timeout) {
		t.Error("they are not both timeouts")
	}
}
