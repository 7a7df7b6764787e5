package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// consumerPrograms is the folder with one program per module, but for those that are programs themselves.
const consumerPrograms = "internal/e2e/consumer"

// consumer fetches modules by version as a user does and runs a program with each; one that is a program itself it
// installs. m@version takes a tag. A module alone is taken as the working tree has it, under temporary tags in the
// throw-away clone, and so is every published module without arguments.
func consumer(ctx context.Context, root string, out io.Writer, args []string) error {
	s, err := newSnapshot(ctx, root)
	if err != nil {
		return err
	}
	defer s.close()
	if slices.ContainsFunc(args, func(arg string) bool { return strings.Contains(arg, "@") }) {
		versions, err := s.taggedVersions(args)
		if err != nil {
			return err
		}
		return s.consume(ctx, out, versions)
	}
	for _, dir := range args {
		if s.repo.ByDir(dir) == nil {
			return fmt.Errorf("%q is not a module", dir)
		}
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.consumeTree(ctx, out, args)
}

// taggedVersions reads arguments of the form m@version.
func (s *snapshot) taggedVersions(args []string) ([]module.Version, error) {
	var versions []module.Version
	for _, arg := range args {
		dir, version, _ := strings.Cut(arg, "@")
		m := s.repo.ByDir(dir)
		if m == nil {
			return nil, fmt.Errorf("%q is not a module", dir)
		}
		v := module.Version{Path: m.Path, Version: version}
		if !s.plans.has(v) {
			return nil, fmt.Errorf("there is no tag %s", m.Tag(version))
		}
		versions = append(versions, v)
	}
	return versions, nil
}

// consumeTree tags what a prepared snapshot serves from its working tree, and consumes the newest version of some
// published modules, named by their folders, or of all.
func (s *snapshot) consumeTree(ctx context.Context, out io.Writer, dirs []string) error {
	var versions []module.Version
	for _, p := range s.plans {
		for _, version := range p.tree {
			if _, err := repo.Git(ctx, s.clone, "tag", p.module.Tag(version)); err != nil {
				return err
			}
		}
		if len(dirs) > 0 && !slices.Contains(dirs, p.module.Dir) {
			continue
		}
		newest := lastOf(append(slices.Clone(p.tags), p.tree...))
		versions = append(versions, module.Version{Path: p.module.Path, Version: newest})
	}
	return s.consume(ctx, out, versions)
}

// consume fetches each version through git from the clone, with an empty module cache. The module internal is left
// out: nobody outside of the repository can import it.
func (s *snapshot) consume(ctx context.Context, out io.Writer, versions []module.Version) error {
	cache, err := os.MkdirTemp(s.dir, "empty-")
	if err != nil {
		return err
	}
	env, err := s.env(ctx, cache,
		"GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=url."+fileURL(s.clone)+".insteadOf",
		"GIT_CONFIG_VALUE_0=https://"+repo.Prefix,
		"GIT_ALLOW_PROTOCOL=file:https",
		"GIT_TERMINAL_PROMPT=0",
		"GONOPROXY="+repo.Prefix+"/*",
	)
	if err != nil {
		return err
	}
	for _, v := range versions {
		m := s.repo.ByPath(v.Path)
		if m.Dir == "internal" {
			continue
		}
		start := time.Now()
		consume, done := s.consumeOne, "consumed"
		if program, err := s.repo.IsProgram(m); err != nil {
			return err
		} else if program {
			consume, done = s.install, "installed"
		}
		if err := consume(ctx, env, m, v); err != nil {
			return fmt.Errorf("consumer of %s: %w", v, err)
		}
		fmt.Fprintf(out, "ok  %-14s %s %s  %.1fs\n", m.Dir, v.Version, done, time.Since(start).Seconds())
	}
	return nil
}

func (s *snapshot) consumeOne(ctx context.Context, env []string, m *repo.Module, v module.Version) error {
	program, err := os.ReadFile(filepath.Join(s.clone, filepath.FromSlash(consumerPrograms), m.Dir, "main.go"))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(s.dir, "consumer-")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), program, 0o666); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"mod", "init", "example.com/consumer"},
		{"get", v.String()},
		{"mod", "tidy"},
		{"mod", "verify"},
		{"build", "./..."},
		{"vet", "./..."},
		{"run", "."},
	} {
		if _, err := execute(ctx, dir, env, "go", args...); err != nil {
			return err
		}
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	return checkConsumer(mod, v)
}

// install installs a module that is a program as its users do, and wants the program to know its version.
func (s *snapshot) install(ctx context.Context, env []string, m *repo.Module, v module.Version) error {
	dir, err := os.MkdirTemp(s.dir, "install-")
	if err != nil {
		return err
	}
	env = append(slices.Clone(env), "GOBIN="+dir)
	if _, err := execute(ctx, dir, env, "go", "install", v.String()); err != nil {
		return err
	}
	prefix, _, _ := module.SplitPathVersion(m.Path)
	printed, err := execute(ctx, dir, env, filepath.Join(dir, path.Base(prefix)), "--version")
	if err != nil {
		return err
	}
	if !strings.Contains(printed, v.Version) {
		return fmt.Errorf("--version prints %q", printed)
	}
	return nil
}

// checkConsumer wants a consumer's go.mod to require v, and nothing that must never get there: a pseudo-version, or a
// module that is for the repository alone.
func checkConsumer(text []byte, v module.Version) error {
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return err
	}
	found := false
	for _, req := range mod.Require {
		if module.IsPseudoVersion(req.Mod.Version) {
			return fmt.Errorf("go.mod must not hold the pseudo-version %s", req.Mod)
		}
		if strings.HasPrefix(req.Mod.Path+"/", repo.Prefix+"/internal/") {
			return fmt.Errorf("go.mod must not hold %s", req.Mod)
		}
		found = found || req.Mod == v
	}
	if !found {
		return fmt.Errorf("go.mod does not hold %s:\n%s", v, text)
	}
	return nil
}
