package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// An importer is a file that imports a package.
type importer struct {
	file string // relative to the root
	path string
}

// test reports whether only tests see the import.
func (i importer) test() bool { return strings.HasSuffix(i.file, "_test.go") }

// checkImports wants each published module to import what it is allowed to and no more: released code never the
// module internal. Each file counts, whatever system or build tag it is for.
func checkImports(t *tree) ([]string, error) {
	var problems []string
	for _, m := range t.Published() {
		policy, ok := allowed[m.Dir]
		if !ok {
			problems = append(problems, m.Dir+" has no rule of what it may import")
			continue
		}
		imports, err := t.imports(m)
		if err != nil {
			return nil, err
		}
		for _, i := range imports {
			modules := policy.released
			if i.test() {
				modules = slices.Concat(policy.released, policy.tests)
			}
			if !slices.ContainsFunc(modules, func(module string) bool { return t.within(i.path, module) }) {
				problems = append(problems, fmt.Sprintf("%s may not import %s", i.file, i.path))
			}
		}
	}
	return problems, nil
}

// imports lists what the files of m import from other modules.
func (t *tree) imports(m *repo.Module) ([]importer, error) {
	var imports []importer
	err := t.files(m, func(name string) error {
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "/testdata/") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(t.Root, filepath.FromSlash(name)), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") && !t.within(path, m.Path) {
				imports = append(imports, importer{name, path})
			}
		}
		return nil
	})
	return imports, err
}

// within reports whether a package belongs to a module. The package of a module nested in its folder does not.
func (t *tree) within(path, module string) bool {
	if !below(path, module) {
		return false
	}
	return !slices.ContainsFunc(t.all, func(m *repo.Module) bool {
		return len(m.Path) > len(module) && below(m.Path, module) && below(path, m.Path)
	})
}

// below reports whether path is root or below it.
func below(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }
