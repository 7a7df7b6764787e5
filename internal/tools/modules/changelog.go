package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/fieldlink-go/fieldlink/internal/tools/changelog"
	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

func readChangelog(r *repo.Repo, m *repo.Module) (string, error) {
	data, err := os.ReadFile(r.File(m, "CHANGELOG.md"))
	return string(data), err
}

// notes prints what the changelog of a module says about a version.
func notes(_ context.Context, root string, out io.Writer, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: modules notes m@version")
	}
	r, err := repo.Open(root)
	if err != nil {
		return err
	}
	dir, version, _ := strings.Cut(args[0], "@")
	m := r.ByDir(dir)
	if m == nil || !m.Published() {
		return fmt.Errorf("%q is not a published module", dir)
	}
	text, err := readChangelog(r, m)
	if err != nil {
		return err
	}
	section, ok := changelog.Version(text, version)
	if !ok {
		return fmt.Errorf("%s/CHANGELOG.md has no section for %q", dir, version)
	}
	fmt.Fprintln(out, section)
	return nil
}

// moveUnreleased puts what is unreleased in the changelogs of the released modules below their versions, and names
// the release in the index of the root.
func moveUnreleased(r *repo.Repo, releases []releaseOf, date string) error {
	for _, rel := range releases {
		name := r.File(rel.plan.module, "CHANGELOG.md")
		text, err := readChangelog(r, rel.plan.module)
		if err != nil {
			return err
		}
		text, err = changelog.Release(text, rel.version, date)
		if err != nil {
			return fmt.Errorf("%s/CHANGELOG.md: %w", rel.plan.module.Dir, err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			return err
		}
	}
	name := filepath.Join(r.Root, "CHANGELOG.md")
	index, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	head, list, ok := strings.Cut(string(index), "## Releases\n")
	if !ok {
		return fmt.Errorf("CHANGELOG.md has no heading \"## Releases\"")
	}
	intro, older, found := strings.Cut("\n"+strings.TrimSpace(list), "\n- ")
	text := head + "## Releases\n\n"
	if intro = strings.TrimSpace(intro); intro != "" {
		text += intro + "\n\n"
	}
	text += "- " + date + ": " + describe(releases) + "\n"
	if found {
		text += "- " + older + "\n"
	}
	return os.WriteFile(name, []byte(text), 0o666)
}
