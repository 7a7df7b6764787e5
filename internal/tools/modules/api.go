package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/fieldlink-go/fieldlink/internal/tools/changelog"
	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// apiCheck compares the exported API of each changed module with its last tag. An incompatible change is refused,
// unless the module is at v0 and its changelog has a heading "Breaking" under "Unreleased".
func apiCheck(ctx context.Context, root string, out io.Writer, _ []string) error {
	apidiff, err := findTool(root, "apidiff")
	if err != nil {
		return err
	}
	s, err := newSnapshot(ctx, root)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	var broken []string
	for _, p := range s.plans {
		if p.last() == "" {
			fmt.Fprintf(out, "--  %-14s has no tag yet\n", p.module.Dir)
			continue
		}
		report, err := s.incompatible(ctx, apidiff, p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.module.Dir, err)
		}
		if report == "" {
			fmt.Fprintf(out, "ok  %-14s compatible with %s\n", p.module.Dir, p.last())
			continue
		}
		text, err := readChangelog(s.repo, p.module)
		if err != nil {
			return err
		}
		unreleased, _ := changelog.Unreleased(text)
		if semver.Major(p.last()) == "v0" && slices.Contains(changelog.Kinds(unreleased), "breaking") {
			fmt.Fprintf(out, "ok  %-14s breaks %s, as its changelog says\n%s\n", p.module.Dir, p.last(), report)
			continue
		}
		fmt.Fprintf(out, "!!  %-14s breaks %s\n%s\n", p.module.Dir, p.last(), report)
		broken = append(broken, p.module.Dir)
	}
	if len(broken) > 0 {
		return fmt.Errorf("incompatible with the last tag: %s", strings.Join(broken, ", "))
	}
	return nil
}

// findTool finds a program that `make tools` built, or one in PATH.
func findTool(root, name string) (string, error) {
	built := filepath.Join(root, ".bin", name)
	if _, err := os.Stat(built); err == nil {
		return built, nil
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s: run make tools first: %w", name, err)
	}
	return found, nil
}

// incompatible lists what a prepared snapshot breaks of the last tag of a module, "" if nothing.
func (s *snapshot) incompatible(ctx context.Context, apidiff string, p *plan) (string, error) {
	m := p.module
	env, err := s.env(ctx, s.cache)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(s.dir, "api", m.Dir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	old, now := filepath.Join(dir, "old"), filepath.Join(dir, "now")
	tree := filepath.Join(dir, "tree")
	if _, err := repo.Git(ctx, s.clone, "worktree", "add", "--quiet", "--detach", tree, m.Tag(p.last())); err != nil {
		return "", err
	}
	// The hashes of siblings whose tags are not in this clone cannot be met.
	if err := rewriteSums(filepath.Join(tree, m.Dir, "go.sum"), s.untagged); err != nil {
		return "", err
	}
	lenient := append(slices.Clone(env), "GOFLAGS=-modcacherw -buildvcs=false -mod=mod")
	if _, err := execute(ctx, filepath.Join(tree, m.Dir), lenient, apidiff, "-m", "-w", old, m.Path); err != nil {
		return "", err
	}
	if _, err := execute(ctx, s.repo.File(m), env, apidiff, "-m", "-w", now, m.Path); err != nil {
		return "", err
	}
	return execute(ctx, dir, env, apidiff, "-m", "-incompatible", old, now)
}
