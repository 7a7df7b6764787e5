package main

import (
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

func TestBump(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, last string
		kinds      []string
		want       string
	}{
		{"nothing said", "v0.1.0", nil, "v0.1.1"},
		{"fix", "v0.1.3", []string{"fixed"}, "v0.1.4"},
		{"security fix", "v1.2.3", []string{"fixed", "security"}, "v1.2.4"},
		{"feature", "v0.1.3", []string{"fixed", "added"}, "v0.2.0"},
		{"break at v0", "v0.9.3", []string{"breaking"}, "v0.10.0"},
		{"break at v1", "v1.9.3", []string{"added", "breaking"}, "v2.0.0"},
		{"removal at v1", "v1.9.3", []string{"removed"}, "v2.0.0"},
		{"after a pre-release", "v0.2.0-rc.1", []string{"added"}, "v0.2.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := bump(tc.last, tc.kinds); got != tc.want {
				t.Errorf("bump(%q, %q) = %q, want %q", tc.last, tc.kinds, got, tc.want)
			}
		})
	}
}

func TestPlanRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, version, other, want string
	}{
		{"pseudo-version", "v0.0.0-20260101120000-0123456789ab", "v0.1.0", "pseudo-version"},
		{"two untagged versions", "v0.3.0", "v0.2.0", "several versions without a tag: v0.2.0, v0.3.0"},
		{"older than the last tag", "v0.0.9", "v0.1.0", "older than v0.1.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newTagged(t)
			r.Replace("wsclient/go.mod", "errkit v0.1.0", "errkit "+tc.version)
			r.Replace("pikvm/go.mod", "errkit v0.1.0", "errkit "+tc.other)
			mustFailIn(t, r, tc.want, "plan")
		})
	}
}

func TestTidyCheckFinds(t *testing.T) {
	r := newTagged(t)
	r.Replace("wsclient/doc.go", `import "github.com/fieldlink-go/fieldlink/errkit"`, "")
	r.Replace("wsclient/doc.go", `+ errkit.Kind()`, "")
	out, err := runIn(t, r, "tidy-check")
	if err == nil {
		t.Fatal("an unused requirement is tidy")
	}
	t.Log(out)
	mustRunIn(t, r, "tidy")
	mustRunIn(t, r, "tidy-check")
}

func TestConsumerFinds(t *testing.T) {
	r := newTagged(t)
	t.Run("a test that needs internal without saying so", func(t *testing.T) {
		r.Replace("wsclient/go.mod", "\tgithub.com/fieldlink-go/fieldlink/internal v0.1.0\n", "")
		r.Commit("broken")
		r.Git("tag", "wsclient/v0.1.1")
		mustFailIn(t, r, "must not hold", "consumer", "wsclient@v0.1.1")
	})
	t.Run("a tag that is not there", func(t *testing.T) {
		mustFailIn(t, r, "there is no tag wsclient/v9.0.0", "consumer", "wsclient@v9.0.0")
	})
	t.Run("a module without a program", func(t *testing.T) {
		r.Git("rm", "--quiet", "-r", "internal/e2e/consumer/errkit")
		mustFailIn(t, r, "consumer/errkit/main.go", "consumer", "errkit@v0.1.0")
	})
}

func TestCheckConsumer(t *testing.T) {
	t.Parallel()
	v := module.Version{Path: repo.Prefix + "/pikvm", Version: "v0.1.0"}
	const head = "module example.com/consumer\n\ngo 1.26.0\n\nrequire " + repo.Prefix
	for _, tc := range []struct{ name, text, want string }{
		{"clean", head + "/pikvm v0.1.0\nrequire a.example/b v1.0.0 // indirect\n", ""},
		{"another version", head + "/pikvm v0.2.0\n", "does not hold"},
		{"pseudo-version of a sibling", head + "/pikvm v0.1.1-0.20260101120000-0123456789ab\n", "pseudo-version"},
		{"pseudo-version of a third party", head + "/pikvm v0.1.0\nrequire a.example/b v0.0.0-20260101120000-0123456789ab\n", "pseudo-version"},
		{"internal", head + "/pikvm v0.1.0\nrequire " + repo.Prefix + "/internal v0.1.0 // indirect\n", "must not hold"},
		{"a module in internal", head + "/pikvm v0.1.0\nrequire " + repo.Prefix + "/internal/e2e v0.1.0\n", "must not hold"},
		{"no go.mod", "nonsense", "unknown directive"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := checkConsumer([]byte(tc.text), v)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}
