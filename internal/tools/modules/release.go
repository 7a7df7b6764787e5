package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/fieldlink-go/fieldlink/internal/tools/filetree"
	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// releaseOf is one module of a release.
type releaseOf struct {
	plan    *plan
	version string
}

// release proves a release in a throw-away clone, as check and consumer do, then commits its go.mod, go.sum and
// CHANGELOG.md files and tags that commit. Nothing is pushed, and nothing is changed unless all of it holds.
func release(ctx context.Context, root string, out io.Writer, args []string) error {
	if len(args) == 0 {
		return errors.New("usage: modules release m=version [m=version]")
	}
	if status, err := repo.Git(ctx, root, "status", "--porcelain"); err != nil {
		return err
	} else if status != "" {
		return fmt.Errorf("the working tree is not clean:\n%s", status)
	}
	s, err := newSnapshot(ctx, root)
	if err != nil {
		return err
	}
	defer s.close()
	releases, err := s.planRelease(args)
	if err != nil {
		return err
	}
	if err := moveUnreleased(s.repo, releases, time.Now().Format(time.DateOnly)); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.check(ctx, out, s.repo.Modules); err != nil {
		return err
	}
	if err := s.consumeTree(ctx, out, nil); err != nil {
		return err
	}
	if err := s.carryOver(ctx, root, releases); err != nil {
		return err
	}
	var tags []string
	for _, rel := range releases {
		tags = append(tags, rel.plan.module.Tag(rel.version))
	}
	fmt.Fprintf(out, "\nReleased here. To publish: git push --atomic origin HEAD %s\n", strings.Join(tags, " "))
	return nil
}

// planRelease reads arguments of the form m=version and makes those versions the ones that the working tree stands
// for. A module that is to be released must not need a sibling that is not.
func (s *snapshot) planRelease(args []string) ([]releaseOf, error) {
	var releases []releaseOf
	for _, arg := range args {
		dir, version, _ := strings.Cut(arg, "=")
		m := s.repo.ByDir(dir)
		if m == nil || !m.Published() {
			return nil, fmt.Errorf("%q is not a published module", dir)
		}
		if err := module.Check(m.Path, version); err != nil {
			return nil, err
		}
		p := s.plans.byPath(m.Path)
		if p.last() != "" && semver.Compare(version, p.last()) <= 0 {
			return nil, fmt.Errorf("%s: %s is not newer than %s", dir, version, p.last())
		}
		if p.last() != "" && p.next() == "" {
			return nil, fmt.Errorf("%s has not changed since %s", dir, p.last())
		}
		p.tree = []string{version}
		releases = append(releases, releaseOf{p, version})
	}
	slices.SortFunc(releases, func(a, b releaseOf) int {
		return slices.Index(s.plans, a.plan) - slices.Index(s.plans, b.plan)
	})
	for _, rel := range releases {
		for _, req := range rel.plan.module.Siblings() {
			listed := slices.ContainsFunc(releases, func(r releaseOf) bool { return r.plan.module.Path == req.Path })
			if !listed && !s.plans.has(req) {
				return nil, fmt.Errorf("%s requires %s, which has no tag and is not among the releases", rel.plan.module.Dir, req)
			}
		}
	}
	return releases, nil
}

// carryOver brings the files of the release from the clone into the repository, commits them, and tags the commit.
func (s *snapshot) carryOver(ctx context.Context, root string, releases []releaseOf) error {
	files, err := s.moduleFiles(func(v module.Version) bool {
		released := slices.ContainsFunc(releases, func(r releaseOf) bool {
			return r.plan.module.Path == v.Path && r.version == v.Version
		})
		return !released && s.untagged(v)
	})
	if err != nil {
		return err
	}
	names := []string{"CHANGELOG.md"}
	for _, rel := range releases {
		names = append(names, rel.plan.module.Dir+"/CHANGELOG.md")
	}
	for _, name := range names {
		if files[name], err = s.read(name); err != nil {
			return err
		}
	}
	if err := writeModuleFiles(root, files); err != nil {
		return err
	}
	if _, err := syncWork(root); err != nil {
		return err
	}
	if _, err := repo.Git(ctx, root, "add", "--all"); err != nil {
		return err
	}
	tree, err := repo.Git(ctx, root, "write-tree")
	if err != nil {
		return err
	}
	for _, rel := range releases { // what was proved is what will be committed: Add compares the hashes
		v := module.Version{Path: rel.plan.module.Path, Version: rel.version}
		if _, err := filetree.Add(s.proxy, root, tree, v, rel.plan.module.Dir); err != nil {
			return err
		}
	}
	if _, err := repo.Git(ctx, root, "commit", "--quiet", "--allow-empty", "--message", "release: "+describe(releases)); err != nil {
		return err
	}
	return tagRelease(ctx, root, releases)
}

// tagRelease tags the commit of a release, signed if the user of git has a key for that.
func tagRelease(ctx context.Context, root string, releases []releaseOf) error {
	kind := "--annotate"
	if key, err := repo.Git(ctx, root, "config", "user.signingKey"); err == nil && key != "" {
		kind = "--sign"
	}
	for _, rel := range releases {
		dir := rel.plan.module.Dir
		if _, err := repo.Git(ctx, root, "tag", kind, "--message", dir+" "+rel.version, rel.plan.module.Tag(rel.version)); err != nil {
			return err
		}
	}
	return nil
}

// describe lists a release: "errkit v0.1.0, wsclient v0.1.0".
func describe(releases []releaseOf) string {
	var parts []string
	for _, rel := range releases {
		parts = append(parts, rel.plan.module.Dir+" "+rel.version)
	}
	return strings.Join(parts, ", ")
}
