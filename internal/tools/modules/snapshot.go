package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// A snapshot is a throw-away clone of the repository that holds the files of the working tree, committed: tracked
// ones as they are on disk, and new ones that are not ignored. Beside it is a file tree that serves as module proxy,
// and a module cache. Nothing in it reaches the repository or the module cache of the user.
type snapshot struct {
	dir   string // holds all of it
	clone string
	proxy string
	cache string
	repo  *repo.Repo // the clone
	plans plans
	start string // commit of the working tree as it was found
}

func newSnapshot(ctx context.Context, root string) (*snapshot, error) {
	dir, err := os.MkdirTemp("", "fieldlink-modules-")
	if err != nil {
		return nil, err
	}
	s := &snapshot{
		dir:   dir,
		clone: filepath.Join(dir, "clone"),
		proxy: filepath.Join(dir, "proxy"),
		cache: filepath.Join(dir, "cache"),
	}
	if err := s.take(ctx, root); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *snapshot) take(ctx context.Context, root string) error {
	top, err := repo.Git(ctx, root, "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	if _, err := repo.Git(ctx, s.dir, "clone", "--quiet", "--shared", "--no-checkout", top, s.clone); err != nil {
		return err
	}
	for _, setting := range [][2]string{
		{"user.name", "modules"},
		{"user.email", "modules@localhost"},
		{"commit.gpgSign", "false"},
		{"tag.gpgSign", "false"},
		{"core.hooksPath", os.DevNull},
		{"core.autocrlf", "false"},
		{"advice.detachedHead", "false"},
		{"gc.auto", "0"},
	} {
		if _, err := repo.Git(ctx, s.clone, "config", setting[0], setting[1]); err != nil {
			return err
		}
	}
	if _, err := repo.Git(ctx, top, "--git-dir="+filepath.Join(s.clone, ".git"), "--work-tree="+top, "add", "--all"); err != nil {
		return err
	}
	if s.start, err = s.commit(ctx, "working tree"); err != nil {
		return err
	}
	if _, err := repo.Git(ctx, s.clone, "reset", "--quiet", "--hard"); err != nil {
		return err
	}
	if s.repo, err = repo.Open(s.clone); err != nil {
		return err
	}
	s.plans, err = makePlans(ctx, s.repo)
	return err
}

// close removes the snapshot. What cannot be removed stays in the folder for temporary files.
func (s *snapshot) close() { _ = os.RemoveAll(s.dir) }

// commit commits the index of the clone and returns the commit.
func (s *snapshot) commit(ctx context.Context, message string) (string, error) {
	if _, err := repo.Git(ctx, s.clone, "commit", "--quiet", "--allow-empty", "--message", message); err != nil {
		return "", err
	}
	return repo.Git(ctx, s.clone, "rev-parse", "HEAD")
}

// env is the environment for the go command outside of the workspace. Siblings come from the file tree; third parties
// from the module cache of the user as far as they are there, then from the usual proxy.
func (s *snapshot) env(ctx context.Context, cache string, extra ...string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOPROXY", "GOMODCACHE").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	proxy, userCache, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	env := append(os.Environ(),
		"GOWORK=off",
		"GOFLAGS=-modcacherw -buildvcs=false",
		"GOMODCACHE="+cache,
		"GOPROXY="+strings.Join([]string{
			fileURL(s.proxy),
			fileURL(filepath.Join(s.cache, "cache", "download")),
			fileURL(filepath.Join(userCache, "cache", "download")),
			proxy,
		}, ","),
		"GOPRIVATE=",
		"GONOPROXY=none",
		"GONOSUMDB="+repo.Prefix+"/*",
	)
	return append(env, extra...), nil
}

// fileURL is the URL of an absolute path.
func fileURL(name string) string {
	name = filepath.ToSlash(name)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	return "file://" + name
}

// execute runs a command and returns what it wrote to standard output. A failure carries all of its output.
func execute(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String(), nil
}
