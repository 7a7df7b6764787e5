// Package errortree_test checks the error trees of all modules together: every type and every class of each of
// them, as a user of the module can make them, against the rules of package errkit and against the classes of the
// other modules.
package errortree_test

import (
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/packages"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/errkit/redact"
	"github.com/fieldlink-go/fieldlink/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

const prefix = "github.com/fieldlink-go/fieldlink/"

// tree is the error tree of one package: its classes by the names of their variables, and its errors.
type tree struct {
	pkg     string        // import path below the prefix
	base    *errkit.Class // the module's, or a class below that
	classes map[string]*errkit.Class
	samples []errkittest.Sample
}

var trees = []tree{retryTree, wsclientTree, pikvmTree, ngttTree, minijsonTree, smokTree, sioclientTree}

func TestMatrix(t *testing.T) {
	for _, tr := range trees {
		t.Run(tr.pkg, func(t *testing.T) {
			module := moduleOf(tr.base)
			classes := slices.Collect(maps.Values(tr.classes))
			if module != tr.base {
				classes = append(classes, module)
			}
			var foreign []*errkit.Class
			for _, other := range trees {
				if moduleOf(other.base) != module {
					foreign = slices.AppendSeq(foreign, maps.Values(other.classes))
				}
			}
			errkittest.Run(t, errkittest.Module{
				Base:    module,
				Classes: classes,
				Foreign: foreign,
				Samples: tr.samples,
			})
		})
	}
}

// moduleOf returns the base of the module that a class is of.
func moduleOf(class *errkit.Class) *errkit.Class {
	for class.Parent() != errkit.Err {
		class = class.Parent()
	}
	return class
}

// TestComplete reads the source of the modules: every exported class and every exported error type must be in the
// tables of this test.
func TestComplete(t *testing.T) {
	loaded := load(t)
	for _, tr := range trees {
		t.Run(tr.pkg, func(t *testing.T) {
			classes, errorTypes := declared(loaded[prefix+tr.pkg])
			if d := cmp.Diff(classes, slices.Sorted(maps.Keys(tr.classes))); d != "" {
				t.Errorf("classes (-declared +tested):\n%s", d)
			}
			sampled, raised := make(map[string]bool), make(map[*errkit.Class]bool)
			for _, s := range tr.samples {
				for _, typ := range s.Types {
					if name := reflect.TypeOf(typ).Elem().Name(); name != "Basic" { // that of package errkit
						sampled[name] = true
					}
				}
				raised[s.Class] = true
			}
			if d := cmp.Diff(errorTypes, slices.Sorted(maps.Keys(sampled))); d != "" {
				t.Errorf("error types (-declared +tested):\n%s", d)
			}
			for name, class := range tr.classes {
				if class != tr.base && !raised[class] {
					t.Errorf("no sample of class %s", name)
				}
			}
		})
	}
}

// load returns what the packages of all trees declare, by import path.
func load(t *testing.T) map[string]*types.Scope {
	t.Helper()
	var paths []string
	for _, tr := range trees {
		paths = append(paths, prefix+tr.pkg)
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	if packages.PrintErrors(loaded) > 0 || len(loaded) != len(paths) {
		t.Fatalf("cannot load %v", paths)
	}
	scopes := make(map[string]*types.Scope)
	for _, pkg := range loaded {
		scopes[pkg.PkgPath] = pkg.Types.Scope()
	}
	return scopes
}

// declared returns the names of the exported variables that hold a class, and of the exported types whose pointers
// are typed errors.
func declared(scope *types.Scope) (classes, errorTypes []string) {
	for _, name := range scope.Names() {
		object := scope.Lookup(name)
		if !object.Exported() {
			continue
		}
		switch object := object.(type) {
		case *types.Var:
			if strings.TrimPrefix(object.Type().String(), "*") == prefix+"errkit.Class" {
				classes = append(classes, name)
			}
		case *types.TypeName:
			if isTypedError(types.Unalias(object.Type())) {
				errorTypes = append(errorTypes, name)
			}
		}
	}
	return classes, errorTypes
}

func isTypedError(typ types.Type) bool {
	if types.IsInterface(typ) {
		return false
	}
	errorType := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	return types.Implements(types.NewPointer(typ), errorType)
}

// info returns what every sample begins with: a caller makes errors like the module does.
func info(class *errkit.Class, op, target string, cause error) errkit.Info {
	if target != "" {
		target = redact.URLString(target)
	}
	return errkit.Info{
		Class: class, Op: op, Target: target,
		Kind: errkit.TransportKind(cause), Err: errkit.CleanCause(cause),
	}
}

// sample fills in what follows from build.
func sample(name string, kinds errkit.Kind, text string, build func(target string, cause error) error, is ...any) errkittest.Sample {
	err := build("", nil)
	return errkittest.Sample{
		Name: name, Err: err, Class: err.(errkit.Error).ErrorInfo().Class,
		Kinds: kinds, Types: is, Text: text, Build: build,
	}
}
