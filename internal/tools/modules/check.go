package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// check proves the go.mod of every module, or of those that the arguments name: each is vetted and tested alone, from
// an empty module cache.
func check(ctx context.Context, root string, out io.Writer, args []string) error {
	s, err := newSnapshot(ctx, root)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	modules := s.repo.Modules
	if len(args) > 0 {
		modules = nil
	}
	for _, dir := range args {
		m := s.repo.ByDir(dir)
		if m == nil {
			return fmt.Errorf("%q is not a module", dir)
		}
		modules = append(modules, m)
	}
	return s.check(ctx, out, modules)
}

// check runs in a prepared snapshot.
func (s *snapshot) check(ctx context.Context, out io.Writer, modules []*repo.Module) error {
	cache, err := os.MkdirTemp(s.dir, "empty-")
	if err != nil {
		return err
	}
	env, err := s.env(ctx, cache)
	if err != nil {
		return err
	}
	for _, m := range modules {
		start := time.Now()
		for _, args := range [][]string{
			{"mod", "tidy", "-diff"},
			{"vet", "./..."},
			{"test", "./..."},
		} {
			if _, err := execute(ctx, s.repo.File(m), env, "go", args...); err != nil {
				return fmt.Errorf("%s alone: %w", m.Dir, err)
			}
		}
		fmt.Fprintf(out, "ok  %-14s alone  %.1fs\n", m.Dir, time.Since(start).Seconds())
	}
	return nil
}
