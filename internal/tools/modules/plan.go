package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/fieldlink-go/fieldlink/internal/tools/changelog"
	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

// A plan says which versions of one published module there are, and which of them stand for the working tree.
type plan struct {
	module *repo.Module
	tags   []string // tagged versions, oldest first
	tree   []string // versions without a tag, served from the working tree, oldest first; none if nothing changed
}

// last is the newest tagged version, "" if there is none.
func (p *plan) last() string { return lastOf(p.tags) }

// next is the version that the working tree would be released as, "" if there is nothing to release.
func (p *plan) next() string { return lastOf(p.tree) }

// serves reports whether the working tree stands for version.
func (p *plan) serves(version string) bool { return slices.Contains(p.tree, version) }

func lastOf(versions []string) string {
	if len(versions) == 0 {
		return ""
	}
	return versions[len(versions)-1]
}

type plans []*plan

func (ps plans) byPath(path string) *plan {
	for _, p := range ps {
		if p.module.Path == path {
			return p
		}
	}
	return nil
}

// has reports whether a version has a tag.
func (ps plans) has(v module.Version) bool {
	p := ps.byPath(v.Path)
	return p != nil && slices.Contains(p.tags, v.Version)
}

// makePlans plans each published module, dependencies first. A version that a sibling requires and that has no tag is
// the module's next one. Where no sibling asks for one, a changed module is planned as its next patch or minor
// version, by its changelog, and a module without any tag as v0.1.0.
func makePlans(ctx context.Context, r *repo.Repo) (plans, error) {
	var ps plans
	for _, m := range r.Published() {
		tags, err := r.Versions(ctx, m)
		if err != nil {
			return nil, err
		}
		p := &plan{module: m, tags: tags, tree: required(r, m, tags)}
		if err := p.checkTree(); err != nil {
			return nil, err
		}
		if len(p.tree) == 0 {
			next, err := propose(ctx, r, p)
			if err != nil {
				return nil, err
			}
			if next != "" {
				p.tree = []string{next}
			}
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// required lists the versions of m without a tag that its siblings require, oldest first.
func required(r *repo.Repo, m *repo.Module, tags []string) []string {
	var versions []string
	for _, other := range r.Modules {
		for _, req := range other.Siblings() {
			if req.Path == m.Path && !slices.Contains(tags, req.Version) {
				versions = append(versions, req.Version)
			}
		}
	}
	slices.SortFunc(versions, semver.Compare)
	return slices.Compact(versions)
}

// checkTree refuses requirements that cannot become a release. A clone without any tag of the module knows nothing of
// its releases: there every required version is taken from the working tree.
func (p *plan) checkTree() error {
	for _, version := range p.tree {
		if module.IsPseudoVersion(version) {
			return fmt.Errorf("%s is required at the pseudo-version %s", p.module.Dir, version)
		}
	}
	if len(p.tags) == 0 || len(p.tree) == 0 {
		return nil
	}
	if len(p.tree) > 1 {
		return fmt.Errorf("%s is required at several versions without a tag: %s", p.module.Dir, strings.Join(p.tree, ", "))
	}
	if semver.Compare(p.next(), p.last()) < 0 {
		return fmt.Errorf("%s is required at %s, which has no tag and is older than %s", p.module.Dir, p.next(), p.last())
	}
	return nil
}

// propose chooses the next version of a module that no sibling requires at one, "" if it has not changed.
func propose(ctx context.Context, r *repo.Repo, p *plan) (string, error) {
	last := p.last()
	if last == "" {
		return "v0.1.0", nil
	}
	changed, err := r.Changed(ctx, p.module, p.module.Tag(last))
	if err != nil || len(changed) == 0 {
		return "", err
	}
	text, err := readChangelog(r, p.module)
	if err != nil {
		return "", err
	}
	unreleased, _ := changelog.Unreleased(text)
	return bump(last, changelog.Kinds(unreleased)), nil
}

// bump is the version after last for the given kinds of change: a fix raises the patch number, all else the minor
// number; from v1 on what breaks raises the major number. A pre-release is followed by its release.
func bump(last string, kinds []string) string {
	var major, minor, patch int
	if _, err := fmt.Sscanf(last, "v%d.%d.%d", &major, &minor, &patch); err != nil {
		panic("not a canonical version: " + last)
	}
	breaks := slices.Contains(kinds, "breaking") || slices.Contains(kinds, "removed")
	fixes := !slices.ContainsFunc(kinds, func(kind string) bool { return kind != "fixed" && kind != "security" })
	switch {
	case semver.Prerelease(last) != "":
	case breaks && major > 0:
		major, minor, patch = major+1, 0, 0
	case fixes:
		patch++
	default:
		minor, patch = minor+1, 0
	}
	return fmt.Sprintf("v%d.%d.%d", major, minor, patch)
}

func printPlan(ctx context.Context, root string, out io.Writer, args []string) error {
	s, err := newSnapshot(ctx, root)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Fprintf(out, "%-18s %-12s %s\n", "module", "last", "next")
	for _, p := range s.plans {
		fmt.Fprintf(out, "%-18s %-12s %s\n", p.module.Dir, cmp.Or(p.last(), "-"), cmp.Or(p.next(), "unchanged"))
	}
	return nil
}
