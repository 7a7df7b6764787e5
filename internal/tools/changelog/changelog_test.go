package changelog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/tools/changelog"
)

const text = `# Changelog of pikvm

## [Unreleased]

### Added

- ATX.

### Breaking

- Click waits.

## [0.1.1-rc.1] - 2026-03-01

### Fixed

- Retry.

## 0.1.0 - 2026-02-01

First release.
`

func TestUnreleased(t *testing.T) {
	t.Parallel()
	body, ok := changelog.Unreleased(text)
	if d := cmp.Diff("### Added\n\n- ATX.\n\n### Breaking\n\n- Click waits.", body); !ok || d != "" {
		t.Errorf("%t (-want +got):\n%s", ok, d)
	}
	if d := cmp.Diff([]string{"added", "breaking"}, changelog.Kinds(body)); d != "" {
		t.Errorf("kinds (-want +got):\n%s", d)
	}
	if _, ok := changelog.Unreleased("# Changelog\n\n## 0.1.0\n"); ok {
		t.Error("found a heading that is not there")
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		version, want string
		ok            bool
	}{
		{"v0.1.1-rc.1", "### Fixed\n\n- Retry.", true},
		{"v0.1.0", "First release.", true},
		{"v0.1.1", "", false},
		{"v0.1", "", false},
	} {
		t.Run(tc.version, func(t *testing.T) {
			t.Parallel()
			got, ok := changelog.Version(text, tc.version)
			if d := cmp.Diff(tc.want, got); ok != tc.ok || d != "" {
				t.Errorf("%t (-want +got):\n%s", ok, d)
			}
		})
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	released, err := changelog.Release(text, "v0.2.0", "2026-04-01")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(text, "## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0] - 2026-04-01\n", 1)
	if d := cmp.Diff(want, released); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	plain := "# Changelog\n\n## Unreleased\n\nAll.\n"
	released, err = changelog.Release(plain, "v0.1.0-rc.1", "2026-04-01")
	if err != nil {
		t.Fatal(err)
	}
	want = "# Changelog\n\n## Unreleased\n\n## 0.1.0-rc.1 - 2026-04-01\n\nAll.\n"
	if d := cmp.Diff(want, released); d != "" {
		t.Errorf("without brackets (-want +got):\n%s", d)
	}
	for _, tc := range []struct{ name, text, version, want string }{
		{"nothing unreleased", released, "v0.3.0", "nothing below"},
		{"released already", text, "v0.1.0", "already"},
		{"no heading", "# Changelog\n", "v0.1.0", "no heading"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := changelog.Release(tc.text, tc.version, "2026-04-01"); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}
