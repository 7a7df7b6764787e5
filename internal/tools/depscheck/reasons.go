package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// checkReasons wants a line in CONTRIBUTING.md for each third-party module that a module of the repository uses
// directly, for each tool, and for each npm package of the tests. The line names it in backquotes.
func checkReasons(t *tree) ([]string, error) {
	text, err := t.read("CONTRIBUTING.md")
	if err != nil {
		return nil, err
	}
	users := make(map[string]string) // by dependency
	for _, m := range t.all {
		imports, err := t.imports(m)
		if err != nil {
			return nil, err
		}
		for _, tool := range m.Mod.Tool {
			imports = append(imports, importer{path: tool.Path})
		}
		for _, i := range imports {
			if repo.IsSibling(i.path) {
				continue
			}
			dependency := providing(m, i.path)
			if dependency == "" {
				return nil, fmt.Errorf("%s/go.mod requires no module that holds %s", m.Dir, i.path)
			}
			users[dependency] = m.Dir
		}
	}
	if err := t.npm(users); err != nil {
		return nil, err
	}
	var problems []string
	for _, dependency := range slices.Sorted(maps.Keys(users)) {
		if !strings.Contains(text, "`"+dependency+"`") {
			problems = append(problems, fmt.Sprintf("CONTRIBUTING.md does not say why %s depends on `%s`", users[dependency], dependency))
		}
	}
	return problems, nil
}

// providing is the module among the requirements of m that a package belongs to, "" if there is none.
func providing(m *repo.Module, pkg string) string {
	var found string
	for _, req := range m.Mod.Require {
		if below(pkg, req.Mod.Path) && len(req.Mod.Path) > len(found) {
			found = req.Mod.Path
		}
	}
	return found
}

// npm adds the packages that the package.json files of the repository ask for.
func (t *tree) npm(users map[string]string) error {
	return walk(t.Root, func(name string) error {
		if path.Base(name) != "package.json" {
			return nil
		}
		text, err := t.read(name)
		if err != nil {
			return err
		}
		var manifest struct{ Dependencies, DevDependencies map[string]string }
		if err := json.Unmarshal([]byte(text), &manifest); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, dependencies := range []map[string]string{manifest.Dependencies, manifest.DevDependencies} {
			for dependency, version := range dependencies {
				users[published(dependency, version)] = path.Dir(name)
			}
		}
		return nil
	})
}

// published is the name under which npm has a dependency, which a manifest may call by a name of its own.
func published(dependency, version string) string {
	alias, ok := strings.CutPrefix(version, "npm:")
	if !ok {
		return dependency
	}
	if i := strings.LastIndexByte(alias, '@'); i > 0 { // not that of a scope
		alias = alias[:i]
	}
	return alias
}
