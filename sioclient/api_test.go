package sioclient_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// Programs can say in one place what an option or a reason is.
var (
	_ = sioserver.Options{EventQueue: sioserver.EventLimits{Messages: 100, Bytes: 1 << 20}}
	_ = sioserver.Observer{Closed: func(sioserver.Reason) {}, Received: func(*sioserver.Socket, *sioserver.Event) {}}
	_ = engineio.Reason(sioserver.Reason(""))
)

// TestNoInternalTypeInTheAPI: every type in the signatures and the fields of the public packages has a name that programs
// can use.
func TestNoInternalTypeInTheAPI(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{".", "packet", "engineio", "sioserver", "sioserver/admin", "siotest"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			api := publicTypes(f)
			for _, typ := range api {
				if name := internalType(f, typ); name != "" {
					t.Errorf("%s: %s has no name for users", file, name)
				}
			}
		}
	}
}

// publicTypes returns the type expressions of a file that its users see. An alias is a name for them.
func publicTypes(f *ast.File) (types []ast.Node) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d.Recv.List[0].Type))) {
				types = append(types, d.Type)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				types = append(types, specTypes(spec)...)
			}
		}
	}
	return types
}

func specTypes(spec ast.Spec) (types []ast.Node) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		if spec.Type != nil && spec.Names[0].IsExported() {
			return []ast.Node{spec.Type}
		}
	case *ast.TypeSpec:
		if !spec.Name.IsExported() || spec.Assign.IsValid() {
			return nil
		}
		s, ok := spec.Type.(*ast.StructType)
		if !ok {
			return []ast.Node{spec.Type}
		}
		for _, field := range s.Fields.List {
			if len(field.Names) == 0 || field.Names[0].IsExported() {
				types = append(types, field.Type)
			}
		}
	}
	return types
}

// receiver returns the name of a receiver's type.
func receiver(typ ast.Expr) string {
	switch typ := typ.(type) {
	case *ast.StarExpr:
		return receiver(typ.X)
	case *ast.IndexExpr:
		return receiver(typ.X)
	case *ast.Ident:
		return typ.Name
	}
	return ""
}

// internalType returns a type of an internal package that a type expression has, "" if there is none.
func internalType(f *ast.File, typ ast.Node) (found string) {
	ast.Inspect(typ, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := selector.X.(*ast.Ident)
		for _, imported := range f.Imports {
			path := strings.Trim(imported.Path.Value, `"`)
			if ok && strings.Contains(path, "/internal/") && strings.HasSuffix(path, "/"+pkg.Name) {
				found = pkg.Name + "." + selector.Sel.Name
			}
		}
		return true
	})
	return found
}
