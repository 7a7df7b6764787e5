package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/tools/toy"
)

// runIn runs a subcommand in a toy repository and returns what it printed.
func runIn(t *testing.T, r *toy.Repo, args ...string) (string, error) {
	t.Helper()
	t.Chdir(r.Root)
	var out bytes.Buffer
	err := run(t.Context(), &out, args)
	return out.String(), err
}

func mustRunIn(t *testing.T, r *toy.Repo, args ...string) string {
	t.Helper()
	out, err := runIn(t, r, args...)
	if err != nil {
		t.Fatalf("modules %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func mustFailIn(t *testing.T, r *toy.Repo, want string, args ...string) {
	t.Helper()
	out, err := runIn(t, r, args...)
	if err == nil {
		t.Fatalf("modules %s passed\n%s", strings.Join(args, " "), out)
	}
	if !strings.Contains(err.Error(), want) {
		t.Fatalf("modules %s: %v, want %q", strings.Join(args, " "), err, want)
	}
}

// TestTwoReleases lives through the life of a repository: everything unpublished, a first release of all modules, a
// change across two modules, a second release, and a change that breaks users.
func TestTwoReleases(t *testing.T) {
	r := toy.New(t)

	// Before the first tag.
	mustRunIn(t, r, "tidy-check")
	mustRunIn(t, r, "consumer")
	mustRunIn(t, r, "consumer", "pikvm/cmd/pikvmctl")
	mustFailIn(t, r, "is not a module", "consumer", "nothing")
	wantPlan(t, r, `
module             last         next
errkit             -            v0.1.0
internal           -            v0.1.0
wsclient           -            v0.1.0
pikvm              -            v0.1.0
pikvm/cmd/pikvmctl -            v0.1.0
`)
	if status := r.Git("status", "--porcelain"); status != "" {
		t.Fatalf("checks changed the repository:\n%s", status)
	}

	// The first release.
	mustRunIn(t, r, "release", "pikvm/cmd/pikvmctl=v0.1.0", "pikvm=v0.1.0", "internal=v0.1.0", "errkit=v0.1.0", "wsclient=v0.1.0")
	if d := cmp.Diff("errkit/v0.1.0 internal/v0.1.0 pikvm/cmd/pikvmctl/v0.1.0 pikvm/v0.1.0 wsclient/v0.1.0", strings.Join(strings.Fields(r.Git("tag")), " ")); d != "" {
		t.Errorf("tags (-want +got):\n%s", d)
	}
	if d := cmp.Diff("release: errkit v0.1.0, internal v0.1.0, wsclient v0.1.0, pikvm v0.1.0, pikvm/cmd/pikvmctl v0.1.0", r.Git("log", "-1", "--format=%s")); d != "" {
		t.Errorf("commit (-want +got):\n%s", d)
	}
	if sums := r.Read("wsclient/go.sum"); strings.Count(sums, "/errkit v0.1.0") != 2 || strings.Count(sums, "/internal v0.1.0") != 2 {
		t.Errorf("wsclient/go.sum lacks siblings:\n%s", sums)
	}
	if text := r.Read("errkit/CHANGELOG.md"); !strings.Contains(text, "## [0.1.0] - 2") {
		t.Errorf("errkit/CHANGELOG.md has no release:\n%s", text)
	}
	today := time.Now().Format(time.DateOnly)
	first := "- " + today + ": errkit v0.1.0, internal v0.1.0, wsclient v0.1.0, pikvm v0.1.0, pikvm/cmd/pikvmctl v0.1.0\n"
	if d := cmp.Diff("# Changelog\n\n## Releases\n\nNewest first.\n\n"+first, r.Read("CHANGELOG.md")); d != "" {
		t.Errorf("CHANGELOG.md (-want +got):\n%s", d)
	}
	if d := cmp.Diff("### Added\n\n- Kind.\n", mustRunIn(t, r, "notes", "errkit@v0.1.0")); d != "" {
		t.Errorf("notes (-want +got):\n%s", d)
	}
	mustRunIn(t, r, "tidy-check")
	mustRunIn(t, r, "check")
	mustRunIn(t, r, "consumer", "pikvm@v0.1.0", "pikvm/cmd/pikvmctl@v0.1.0")
	mustFailIn(t, r, "has not changed", "release", "errkit=v0.2.0")

	// A sibling needs what errkit has only since its tag: alone it does not build until it says so.
	r.Replace("errkit/doc.go", "// Old", "// Fresh is new.\nfunc Fresh() string { return \"fresh\" }\n\n// Old")
	r.Replace("errkit/CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n### Added\n\n- Fresh.\n")
	r.Replace("wsclient/doc.go", "errkit.Kind()", "errkit.Fresh()")
	r.Replace("wsclient/CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n### Fixed\n\n- Dial.\n")
	mustFailIn(t, r, "undefined: errkit.Fresh", "check")
	r.Replace("wsclient/go.mod", "errkit v0.1.0", "errkit v0.2.0")
	r.Replace("internal/e2e/go.mod", "errkit v0.1.0", "errkit v0.2.0")
	mustRunIn(t, r, "tidy")
	mustRunIn(t, r, "check")
	mustRunIn(t, r, "consumer")
	if work := r.Read("go.work"); !strings.Contains(work, "// Siblings") || !strings.Contains(work, "errkit v0.2.0 => ./errkit") {
		t.Errorf("go.work:\n%s", work)
	}
	wantPlan(t, r, `
module             last         next
errkit             v0.1.0       v0.2.0
internal           v0.1.0       unchanged
wsclient           v0.1.0       v0.1.1
pikvm              v0.1.0       unchanged
pikvm/cmd/pikvmctl v0.1.0       unchanged
`)

	// The second release.
	mustFailIn(t, r, "not clean", "release", "errkit=v0.2.0", "wsclient=v0.1.1")
	r.Commit("fresh")
	mustFailIn(t, r, "not among the releases", "release", "wsclient=v0.1.1")
	mustFailIn(t, r, "not newer", "release", "errkit=v0.1.0")
	mustFailIn(t, r, "not a published module", "release", "internal/e2e=v0.1.0")
	mustRunIn(t, r, "release", "wsclient=v0.1.1", "errkit=v0.2.0")
	if sums := r.Read("wsclient/go.sum"); strings.Contains(sums, "errkit v0.1.0") || strings.Count(sums, "/errkit v0.2.0") != 2 {
		t.Errorf("wsclient/go.sum:\n%s", sums)
	}
	second := "- " + today + ": errkit v0.2.0, wsclient v0.1.1\n"
	if d := cmp.Diff("# Changelog\n\n## Releases\n\nNewest first.\n\n"+second+first, r.Read("CHANGELOG.md")); d != "" {
		t.Errorf("CHANGELOG.md (-want +got):\n%s", d)
	}
	mustRunIn(t, r, "tidy-check")

	// A clone without tags knows no hashes to compare with, and still checks.
	shallow := *r
	shallow.Root = t.TempDir()
	r.Git("clone", "--quiet", "--no-tags", "--depth=1", "file://"+r.Root, shallow.Root)
	mustRunIn(t, &shallow, "tidy-check")
	mustRunIn(t, &shallow, "consumer")

	// What was released stays as it was: a wrong hash in go.sum is found.
	r.Replace("wsclient/go.sum", "errkit v0.2.0 h1:", "errkit v0.2.0 h1:A")
	mustFailIn(t, r, "checksum mismatch", "check")
	r.Git("checkout", "--quiet", "wsclient/go.sum")
}

func wantPlan(t *testing.T, r *toy.Repo, want string) {
	t.Helper()
	if d := cmp.Diff(strings.TrimPrefix(want, "\n"), mustRunIn(t, r, "plan")); d != "" {
		t.Errorf("plan (-want +got):\n%s", d)
	}
}

// newTagged is a toy repository with every module tagged as v0.1.0.
func newTagged(t *testing.T) *toy.Repo {
	t.Helper()
	r := toy.New(t)
	for _, m := range []string{"errkit", "internal", "wsclient", "pikvm", "pikvm/cmd/pikvmctl"} {
		r.Git("tag", m+"/v0.1.0")
	}
	return r
}
