package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/fieldlink-go/fieldlink/internal/tools/filetree"
	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// prepare makes every module of the clone resolvable by version, dependencies first: it tidies a module against the
// file tree, which completes its go.sum, and adds its versions without a tag to the file tree, so that the next one
// finds them there. The order matters because the hash of a module covers its go.sum. At the end it commits.
func (s *snapshot) prepare(ctx context.Context) error {
	if err := s.addTagged(ctx); err != nil {
		return err
	}
	env, err := s.env(ctx, s.cache)
	if err != nil {
		return err
	}
	for _, m := range s.repo.Modules {
		if err := s.raiseSiblings(ctx, env, m); err != nil {
			return err
		}
		if err := s.dropSums(m); err != nil {
			return err
		}
		if _, err := execute(ctx, s.repo.File(m), env, "go", "mod", "tidy"); err != nil {
			return fmt.Errorf("%s: %w", m.Dir, err)
		}
		if _, err := repo.Git(ctx, s.clone, "add", "--all", "--", m.Dir); err != nil {
			return err
		}
		p := s.plans.byPath(m.Path)
		if p == nil || len(p.tree) == 0 {
			continue
		}
		tree, err := repo.Git(ctx, s.clone, "write-tree")
		if err != nil {
			return err
		}
		for _, version := range p.tree {
			v := module.Version{Path: m.Path, Version: version}
			if _, err := filetree.Add(s.proxy, s.clone, tree, v, m.Dir); err != nil {
				return err
			}
		}
	}
	_, err = s.commit(ctx, "prepared")
	return err
}

// addTagged adds to the file tree the last tag of each module, and the tagged versions that the modules and those tags
// require, directly or through one another.
func (s *snapshot) addTagged(ctx context.Context) error {
	var (
		added = make(map[module.Version]bool)
		add   func(required []module.Version) error
	)
	add = func(required []module.Version) error {
		for _, v := range required {
			if added[v] || !s.plans.has(v) {
				continue
			}
			added[v] = true
			m := s.repo.ByPath(v.Path)
			if _, err := filetree.Add(s.proxy, s.clone, m.Tag(v.Version), v, m.Dir); err != nil {
				return err
			}
			text, err := repo.Git(ctx, s.clone, "cat-file", "blob", m.Tag(v.Version)+":"+m.Dir+"/go.mod")
			if err != nil {
				return err
			}
			file, err := modfile.ParseLax(v.String(), []byte(text), nil)
			if err != nil {
				return err
			}
			if err := add((&repo.Module{Mod: file}).Siblings()); err != nil {
				return err
			}
		}
		return nil
	}
	for _, p := range s.plans {
		if err := add([]module.Version{{Path: p.module.Path, Version: p.last()}}); err != nil {
			return err
		}
	}
	for _, m := range s.repo.Modules {
		if err := add(m.Siblings()); err != nil {
			return err
		}
	}
	return nil
}

// raiseSiblings lets m require the next version of each sibling that it requires at a version which has no tag and
// will get none.
func (s *snapshot) raiseSiblings(ctx context.Context, env []string, m *repo.Module) error {
	for _, req := range m.Siblings() {
		p := s.plans.byPath(req.Path)
		if p == nil || s.plans.has(req) || p.serves(req.Version) {
			continue
		}
		if next := p.next(); next == "" || semver.Compare(next, req.Version) < 0 {
			return fmt.Errorf("%s requires %s, which has no tag and is not among the releases", m.Dir, req)
		}
		if _, err := execute(ctx, s.repo.File(m), env, "go", "mod", "edit", "-require="+req.Path+"@"+p.next()); err != nil {
			return err
		}
	}
	return nil
}

// dropSums removes from the go.sum of m the hashes of sibling versions that have no tag.
func (s *snapshot) dropSums(m *repo.Module) error {
	return rewriteSums(s.repo.File(m, "go.sum"), s.untagged)
}

// untagged reports whether v is a version of a sibling without a tag.
func (s *snapshot) untagged(v module.Version) bool { return repo.IsSibling(v.Path) && !s.plans.has(v) }

// rewriteSums removes the lines of a go.sum file whose version drop names, and the file if none remain.
func rewriteSums(name string, drop func(v module.Version) bool) error {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	kept := filterSums(data, drop)
	switch {
	case bytes.Equal(kept, data):
		return nil
	case len(kept) == 0:
		return os.Remove(name)
	}
	return os.WriteFile(name, kept, 0o666)
}

func filterSums(data []byte, drop func(v module.Version) bool) []byte {
	var kept []byte
	for line := range bytes.Lines(data) {
		fields := strings.Fields(string(line))
		if len(fields) == 3 && drop(module.Version{Path: fields[0], Version: strings.TrimSuffix(fields[1], "/go.mod")}) {
			continue
		}
		kept = append(kept, line...)
	}
	return kept
}

// moduleFiles reads the go.mod and go.sum files of the clone, by name relative to its root, without the hashes of
// sibling versions that drop names. An absent file is empty.
func (s *snapshot) moduleFiles(drop func(v module.Version) bool) (map[string]string, error) {
	files := make(map[string]string)
	for _, m := range s.repo.Modules {
		for _, base := range []string{"go.mod", "go.sum"} {
			data, err := os.ReadFile(s.repo.File(m, base))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			if base == "go.sum" {
				data = filterSums(data, drop)
			}
			files[m.Dir+"/"+base] = string(data)
		}
	}
	return files, nil
}

// read returns the text of a file of the clone.
func (s *snapshot) read(name string) (string, error) {
	data, err := os.ReadFile(filepath.Join(s.clone, filepath.FromSlash(name)))
	return string(data), err
}

// writeModuleFiles writes files as moduleFiles returned them below root; an empty one is removed.
func writeModuleFiles(root string, files map[string]string) error {
	for name, text := range files {
		name = filepath.Join(root, filepath.FromSlash(name))
		if text != "" {
			if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
				return err
			}
		} else if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
