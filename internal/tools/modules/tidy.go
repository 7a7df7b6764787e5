package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// tidied returns the go.mod and go.sum files as they are and as they should be. Hashes of sibling versions without a
// tag are in neither: they change with every edit, and the release recipe adds them.
func (s *snapshot) tidied(ctx context.Context) (is, should map[string]string, err error) {
	if is, err = s.moduleFiles(s.untagged); err != nil {
		return nil, nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, nil, err
	}
	should, err = s.moduleFiles(s.untagged)
	return is, should, err
}

// changes keeps of should what differs from is.
func changes(is, should map[string]string) map[string]string {
	changed := maps.Clone(should)
	maps.DeleteFunc(changed, func(name, text string) bool { return is[name] == text })
	return changed
}

func tidy(ctx context.Context, root string, out io.Writer, _ []string) error {
	s, err := newSnapshot(ctx, root)
	if err != nil {
		return err
	}
	defer s.close()
	is, should, err := s.tidied(ctx)
	if err != nil {
		return err
	}
	changed := changes(is, should)
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		fmt.Fprintln(out, "tidy", name)
	}
	if err := writeModuleFiles(root, changed); err != nil {
		return err
	}
	worked, err := syncWork(root)
	if worked {
		fmt.Fprintln(out, "tidy go.work")
	}
	return err
}

// syncWork brings the replacements in go.work up to the requirements of the modules.
func syncWork(root string) (bool, error) {
	r, err := repo.Open(root)
	if err != nil {
		return false, err
	}
	return r.SyncWork()
}

func tidyCheck(ctx context.Context, root string, out io.Writer, _ []string) error {
	s, err := newSnapshot(ctx, root)
	if err != nil {
		return err
	}
	defer s.close()
	is, should, err := s.tidied(ctx)
	if err != nil {
		return err
	}
	changed := changes(is, should)
	maps.DeleteFunc(changed, func(name, text string) bool { return s.hideUnknown(text) == s.hideUnknown(is[name]) })
	names := slices.Sorted(maps.Keys(changed))
	for _, name := range names {
		text, err := diff(ctx, name, is[name], should[name])
		if err != nil {
			return err
		}
		fmt.Fprint(out, text)
	}
	if len(names) > 0 {
		return fmt.Errorf("not tidy: %s (make tidy mends it)", strings.Join(names, ", "))
	}
	return nil
}

// hideUnknown takes the versions of siblings that have no tag at all out of a go.mod file. In a clone without tags an
// old version of a sibling is served from the working tree, whose requirements may be newer than those that it had.
func (s *snapshot) hideUnknown(text string) string {
	for _, p := range s.plans {
		if p.last() == "" {
			version := regexp.MustCompile(regexp.QuoteMeta(p.module.Path) + ` v\S+`)
			text = version.ReplaceAllString(text, p.module.Path)
		}
	}
	return text
}

// diff shows how text differs from want, in the unified format.
func diff(ctx context.Context, name, text, want string) (string, error) {
	dir, err := os.MkdirTemp("", "fieldlink-diff-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	for side, content := range map[string]string{"a": text, "b": want} {
		file := filepath.Join(dir, side, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return "", err
		}
		if err := os.WriteFile(file, []byte(content), 0o666); err != nil {
			return "", err
		}
	}
	cmd := exec.CommandContext(ctx, "git", "diff", "--no-index", "--no-prefix", "a/"+name, "b/"+name)
	cmd.Dir = dir
	shown, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 1 {
		err = nil // there are differences
	}
	return string(shown), err
}
