package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// checkWork wants go.work to use every module but those that stay outside, and to replace the sibling versions that the modules
// require by the siblings' folders, and nothing else.
func checkWork(t *tree) ([]string, error) {
	var problems []string
	for _, m := range t.all {
		used := t.ByDir(m.Dir) != nil
		outside := slices.Contains(outsideWork, m.Dir)
		if used && outside {
			problems = append(problems, m.Dir+" must stay out of go.work")
		}
		if !used && !outside {
			problems = append(problems, "go.work does not use "+m.Dir)
		}
	}
	want := t.Replacements()
	for _, replace := range t.Work.Replace {
		if want[replace.Old] != replace.New.Path {
			problems = append(problems, fmt.Sprintf("go.work must not replace %s by %s", replace.Old, replace.New.Path))
		}
		delete(want, replace.Old)
	}
	for v, dir := range want {
		problems = append(problems, fmt.Sprintf("go.work does not replace %s by %s (make tidy adds it)", v, dir))
	}
	slices.Sort(problems)
	if t.Work.Toolchain != nil {
		problems = append(problems, "go.work has a toolchain line")
	}
	return problems, nil
}

// checkMod wants the same go version everywhere, no replacements, and requirements of siblings at real versions.
// Modules that require each other in a circle are found when the repository is opened.
func checkMod(t *tree) ([]string, error) {
	var problems []string
	for _, m := range t.all {
		add := func(format string, args ...any) {
			problems = append(problems, m.Dir+"/go.mod "+fmt.Sprintf(format, args...))
		}
		if want := repo.Prefix + "/" + m.Dir; trimMajor(m.Path) != want {
			add("is module %s, not %s", m.Path, want)
		}
		if m.Mod.Go == nil || m.Mod.Go.Version != t.Work.Go.Version {
			add("does not have the go version of go.work, %s", t.Work.Go.Version)
		}
		if m.Mod.Toolchain != nil {
			add("has a toolchain line")
		}
		for _, replace := range m.Mod.Replace {
			add("replaces %s", replace.Old.Path)
		}
		for _, exclude := range m.Mod.Exclude {
			add("excludes %s", exclude.Mod)
		}
		for _, req := range m.Siblings() {
			if t.ByPath(req.Path) == nil {
				add("requires %s, which is not in go.work", req.Path)
			}
			if module.IsPseudoVersion(req.Version) || req.Version == "v0.0.0" {
				add("requires %s, which is not a release", req)
			}
		}
		if policy, ok := allowed[m.Dir]; ok && policy.released == nil && policy.tests == nil && len(m.Mod.Require) > 0 {
			add("requires %s: it may require nothing", m.Mod.Require[0].Mod.Path)
		}
	}
	return problems, nil
}

// trimMajor takes the major version off a module path.
func trimMajor(path string) string {
	prefix, _, _ := module.SplitPathVersion(path)
	return prefix
}

// checkFiles wants the licence of the root in each module, the documents of a published one, and content that can be
// packed into a module zip.
func checkFiles(t *tree) ([]string, error) {
	licence, err := t.read("LICENSE")
	if err != nil {
		return nil, err
	}
	var problems []string
	for _, m := range t.all {
		name := m.Dir + "/LICENSE"
		info, err := os.Lstat(filepath.Join(t.Root, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			problems = append(problems, name+" is missing")
		case err != nil:
			return nil, err
		case !info.Mode().IsRegular():
			problems = append(problems, name+" is not a regular file")
		default:
			if text, err := t.read(name); err != nil {
				return nil, err
			} else if text != licence {
				problems = append(problems, name+" differs from LICENSE")
			}
		}
	}
	for _, m := range t.Published() {
		more, err := checkPublished(t, m)
		if err != nil {
			return nil, err
		}
		problems = append(problems, more...)
	}
	return problems, nil
}

func checkPublished(t *tree, m *repo.Module) ([]string, error) {
	var problems []string
	documents := []string{"README.md", "CHANGELOG.md"}
	if m.Dir != "internal" { // it has no package of its own
		documents = append(documents, "doc.go")
	}
	for _, name := range documents {
		if _, err := os.Stat(t.File(m, name)); err != nil {
			problems = append(problems, m.Dir+"/"+name+" is missing")
		}
	}
	checked, err := zip.CheckDir(t.File(m))
	if err != nil && len(checked.Invalid) == 0 {
		return nil, err
	}
	for _, invalid := range checked.Invalid {
		problems = append(problems, fmt.Sprintf("%s cannot be packed: %v", m.Dir, invalid))
	}
	var testdata int64
	err = t.files(m, func(name string) error {
		info, err := os.Stat(filepath.Join(t.Root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 && strings.Contains(name, "/testdata/") {
			testdata += info.Size()
		}
		return nil
	})
	if testdata > maxTestdata {
		problems = append(problems, fmt.Sprintf("%s carries %d bytes of testdata, more than %d", m.Dir, testdata, maxTestdata))
	}
	return problems, err
}
