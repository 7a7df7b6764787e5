package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// findModules finds every go.mod below root.
func findModules(root string) ([]*repo.Module, error) {
	var modules []*repo.Module
	err := walk(root, func(name string) error {
		if path.Base(name) != "go.mod" {
			return nil
		}
		m, err := repo.ReadModule(root, path.Dir(name))
		modules = append(modules, m)
		return err
	})
	return modules, err
}

// files calls visit for each file of m, by its name relative to the root. Modules nested in its folder are left out.
func (t *tree) files(m *repo.Module, visit func(name string) error) error {
	return walk(t.Root, func(name string) error {
		if owner := t.owner(name); owner == nil || owner.Dir != m.Dir {
			return nil
		}
		return visit(name)
	})
}

// owner is the module that a file belongs to, nil if there is none.
func (t *tree) owner(name string) *repo.Module {
	var owner *repo.Module
	for _, m := range t.all {
		if strings.HasPrefix(name, m.Dir+"/") && (owner == nil || len(m.Dir) > len(owner.Dir)) {
			owner = m
		}
	}
	return owner
}

// walk calls visit for each file below root, by its name relative to root. What starts with a dot and what npm
// installed is left out.
func walk(root string, visit func(name string) error) error {
	return fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if entry.IsDir() && name != "." && (strings.HasPrefix(base, ".") || base == "node_modules") {
			return fs.SkipDir
		}
		if entry.IsDir() {
			return nil
		}
		return visit(name)
	})
}

// read returns the text of a file, by its name relative to the root.
func (t *tree) read(name string) (string, error) {
	data, err := os.ReadFile(filepath.Join(t.Root, filepath.FromSlash(name)))
	return string(data), err
}
