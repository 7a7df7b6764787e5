// Package repo reads the layout of the repository: its modules, how they depend on one another, and which versions of
// them are tagged.
package repo

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// Prefix is the import path below which every module of the repository lives.
const Prefix = "github.com/fieldlink-go/fieldlink"

// Repo is a repository whose go.work lists its modules.
type Repo struct {
	Root    string
	Work    *modfile.WorkFile
	Modules []*Module // dependencies before dependants
}

// Module is one module of the repository.
type Module struct {
	Dir  string // relative to the root, with slashes: "internal/e2e"
	Path string
	Mod  *modfile.File
}

// Open reads go.work in root and the go.mod of every module that it uses. Modules that require each other in a circle
// are an error.
func Open(root string) (*Repo, error) {
	name := filepath.Join(root, "go.work")
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		return nil, err
	}
	r := &Repo{Root: root, Work: work}
	for _, use := range work.Use {
		m, err := ReadModule(root, path.Clean(use.Path))
		if err != nil {
			return nil, err
		}
		r.Modules = append(r.Modules, m)
	}
	r.Modules, err = sortModules(r.Modules)
	return r, err
}

// ReadModule reads the go.mod in the folder dir of root.
func ReadModule(root, dir string) (*Module, error) {
	name := filepath.Join(root, filepath.FromSlash(dir), "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	file, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, err
	}
	if file.Module == nil {
		return nil, fmt.Errorf("%s: no module line", name)
	}
	return &Module{Dir: dir, Path: file.Module.Mod.Path, Mod: file}, nil
}

// Published reports whether the module is released under tags of its own. What lives below internal/ is not.
func (m *Module) Published() bool { return !strings.HasPrefix(m.Dir, "internal/") }

// IsProgram reports whether users install the module instead of importing it: the package in its folder is main.
func (r *Repo) IsProgram(m *Module) (bool, error) {
	file, err := parser.ParseFile(token.NewFileSet(), r.File(m, "doc.go"), nil, parser.PackageClauseOnly)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // a module without a package of its own
	}
	if err != nil {
		return false, err
	}
	return file.Name.Name == "main", nil
}

// Siblings lists what the module requires of the same repository.
func (m *Module) Siblings() []module.Version {
	var siblings []module.Version
	for _, req := range m.Mod.Require {
		if IsSibling(req.Mod.Path) {
			siblings = append(siblings, req.Mod)
		}
	}
	return siblings
}

// IsSibling reports whether path is the path of a module (or package) of the repository.
func IsSibling(path string) bool { return strings.HasPrefix(path, Prefix+"/") }

// ByPath finds a module by its module path, nil if there is none.
func (r *Repo) ByPath(path string) *Module {
	for _, m := range r.Modules {
		if m.Path == path {
			return m
		}
	}
	return nil
}

// ByDir finds a module by its folder, nil if there is none.
func (r *Repo) ByDir(dir string) *Module {
	for _, m := range r.Modules {
		if m.Dir == dir {
			return m
		}
	}
	return nil
}

// Published lists the modules that are released, dependencies first.
func (r *Repo) Published() []*Module {
	var published []*Module
	for _, m := range r.Modules {
		if m.Published() {
			published = append(published, m)
		}
	}
	return published
}

// File returns the name of a file in the module's folder.
func (r *Repo) File(m *Module, elem ...string) string {
	return filepath.Join(append([]string{r.Root, filepath.FromSlash(m.Dir)}, elem...)...)
}
