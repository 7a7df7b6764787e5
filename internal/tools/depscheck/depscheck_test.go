package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
	"github.com/fieldlink-go/fieldlink/internal/tools/toy"
)

// newToy is a toy repository that breaks no rule.
func newToy(t *testing.T) *toy.Repo {
	r := toy.New(t)
	r.Write(".github/dependabot.yml", "directories:\n  - /errkit\n  - /internal\n  - /internal/e2e\n  - /internal/tools\n  - /pikvm\n  - /pikvm/cmd/pikvmctl\n  - /wsclient\n")
	r.Write(".github/workflows/ci.yml", "steps:\n  - uses: a/b@0123456789012345678901234567890123456789 # v1\n  - uses: ./local\n")
	return r
}

func TestRules(t *testing.T) {
	const pseudo = "v0.0.0-20260101120000-0123456789ab"
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, r *toy.Repo)
		want  string // the only line printed, "" for none
	}{
		{"nothing", func(*testing.T, *toy.Repo) {}, ""},
		{
			"module outside of go.work",
			func(_ *testing.T, r *toy.Repo) {
				r.Replace("go.work", "\t./internal/e2e\n", "")
			},
			"go.work: go.work does not use internal/e2e",
		},
		{
			"tools in go.work",
			func(_ *testing.T, r *toy.Repo) { r.Replace("go.work", "use (\n", "use (\n\t./internal/tools\n") },
			"go.work: internal/tools must stay out of go.work",
		},
		{
			"foreign replacement in go.work",
			func(_ *testing.T, r *toy.Repo) {
				r.Replace("go.work", "replace (\n", "replace (\n\ta.example/b => ../b\n")
			},
			"go.work: go.work must not replace a.example/b by ../b",
		},
		{
			"sibling version that go.work does not replace",
			func(_ *testing.T, r *toy.Repo) { r.Replace("pikvm/go.mod", "errkit v0.1.0", "errkit v0.2.0") },
			"go.work: go.work does not replace " + repo.Prefix + "/errkit@v0.2.0 by ./errkit (make tidy adds it)",
		},
		{
			"go version",
			func(_ *testing.T, r *toy.Repo) { r.Replace("internal/tools/go.mod", "go 1.26.0", "go 1.26.1") },
			"go.mod: internal/tools/go.mod does not have the go version of go.work, 1.26.0",
		},
		{
			"toolchain",
			func(_ *testing.T, r *toy.Repo) {
				r.Replace("errkit/go.mod", "go 1.26.0", "go 1.26.0\n\ntoolchain go1.26.8")
			},
			"go.mod: errkit/go.mod has a toolchain line",
		},
		{
			"replace",
			func(_ *testing.T, r *toy.Repo) {
				r.Write("wsclient/go.mod", r.Read("wsclient/go.mod")+"\nreplace "+repo.Prefix+"/errkit => ../errkit\n")
			},
			"go.mod: wsclient/go.mod replaces " + repo.Prefix + "/errkit",
		},
		{
			"exclude",
			func(_ *testing.T, r *toy.Repo) {
				r.Write("wsclient/go.mod", r.Read("wsclient/go.mod")+"\nexclude a.example/b v0.1.0\n")
			},
			"go.mod: wsclient/go.mod excludes a.example/b@v0.1.0",
		},
		{
			"pseudo-version of a sibling",
			func(_ *testing.T, r *toy.Repo) {
				r.Replace("pikvm/go.mod", "errkit v0.1.0", "errkit "+pseudo)
				r.Replace("go.work", "replace (\n", "replace (\n\t"+repo.Prefix+"/errkit "+pseudo+" => ./errkit\n")
			},
			"go.mod: pikvm/go.mod requires " + repo.Prefix + "/errkit@" + pseudo + ", which is not a release",
		},
		{
			"module path",
			func(_ *testing.T, r *toy.Repo) { r.Replace("internal/tools/go.mod", "internal/tools", "tools") },
			"go.mod: internal/tools/go.mod is module " + repo.Prefix + "/tools, not " + repo.Prefix + "/internal/tools",
		},
		{
			"a requirement of errkit",
			func(_ *testing.T, r *toy.Repo) {
				r.Write("errkit/go.mod", r.Read("errkit/go.mod")+"\nrequire a.example/b v0.1.0\n")
			},
			"go.mod: errkit/go.mod requires a.example/b: it may require nothing",
		},
		{
			"licence missing",
			func(_ *testing.T, r *toy.Repo) { r.Git("rm", "--quiet", "pikvm/LICENSE") },
			"files: pikvm/LICENSE is missing",
		},
		{
			"licence differs",
			func(_ *testing.T, r *toy.Repo) { r.Write("pikvm/LICENSE", "mine") },
			"files: pikvm/LICENSE differs from LICENSE",
		},
		{
			"document missing",
			func(_ *testing.T, r *toy.Repo) { r.Git("rm", "--quiet", "pikvm/CHANGELOG.md") },
			"files: pikvm/CHANGELOG.md is missing",
		},
		{
			"names that differ in case only",
			func(_ *testing.T, r *toy.Repo) { r.Write("pikvm/Readme.md", "# pikvm") },
			"files: pikvm cannot be packed",
		},
		{
			"too much test data",
			func(_ *testing.T, r *toy.Repo) { r.Write("pikvm/testdata/big", strings.Repeat("x", maxTestdata+1)) },
			"files: pikvm carries 1048577 bytes of testdata, more than 1048576",
		},
		{
			"released code that imports internal",
			func(_ *testing.T, r *toy.Repo) {
				r.Write("wsclient/leak_windows.go", "package wsclient\n\nimport _ \""+repo.Prefix+"/internal/leak\"\n")
			},
			"imports: wsclient/leak_windows.go may not import " + repo.Prefix + "/internal/leak",
		},
		{
			"a test that imports an unpublished module",
			func(_ *testing.T, r *toy.Repo) {
				r.Write("wsclient/e2e_test.go", "package wsclient\n\nimport _ \""+repo.Prefix+"/internal/e2e/consumer\"\n")
			},
			"imports: wsclient/e2e_test.go may not import " + repo.Prefix + "/internal/e2e/consumer",
		},
		{
			"a layer below that imports one above",
			func(_ *testing.T, r *toy.Repo) {
				r.Write("errkit/up_test.go", "package errkit\n\nimport _ \""+repo.Prefix+"/wsclient\"\n")
			},
			"imports: errkit/up_test.go may not import " + repo.Prefix + "/wsclient",
		},
		{
			"a module without a rule",
			func(_ *testing.T, r *toy.Repo) {
				for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md", "doc.go"} {
					r.Write("other/"+name, r.Read("errkit/"+name))
				}
				r.Write("other/go.mod", "module "+repo.Prefix+"/other\n\ngo 1.26.0\n")
				r.Replace("go.work", "use (\n", "use (\n\t./other\n")
				r.Replace(".github/dependabot.yml", "  - /pikvm\n", "  - /pikvm\n  - /other\n")
			},
			"imports: other has no rule of what it may import",
		},
		{
			"a dependency without a reason",
			func(_ *testing.T, r *toy.Repo) {
				r.Write("internal/e2e/go.mod", r.Read("internal/e2e/go.mod")+"\nrequire a.example/b/v2 v2.1.0\n")
				r.Write("internal/e2e/b.go", "package e2e\n\nimport _ \"a.example/b/v2/c\"\n")
			},
			"reasons: CONTRIBUTING.md does not say why internal/e2e depends on `a.example/b/v2`",
		},
		{
			"a tool without a reason",
			func(_ *testing.T, r *toy.Repo) {
				r.Write("internal/tools/go.mod", r.Read("internal/tools/go.mod")+"\ntool a.example/b/cmd/b\n\nrequire a.example/b v0.1.0\n")
			},
			"reasons: CONTRIBUTING.md does not say why internal/tools depends on `a.example/b`",
		},
		{
			"an npm package without a reason",
			func(_ *testing.T, r *toy.Repo) {
				r.Write("internal/e2e/interop/package.json", `{"dependencies": {"ws": "8.0.0"}}`)
			},
			"reasons: CONTRIBUTING.md does not say why internal/e2e/interop depends on `ws`",
		},
		{
			"an npm package under another name",
			func(_ *testing.T, r *toy.Repo) {
				r.Write("internal/e2e/interop/package.json", `{"dependencies": {"old": "npm:@a/ws@8.0.0"}}`)
			},
			"reasons: CONTRIBUTING.md does not say why internal/e2e/interop depends on `@a/ws`",
		},
		{
			"a dependency with a reason",
			func(_ *testing.T, r *toy.Repo) {
				r.Write("internal/e2e/interop/package.json", `{"devDependencies": {"ws": "8.0.0", "ws7": "npm:ws@7.0.0"}}`)
				r.Write("internal/e2e/interop/node_modules/x/package.json", `{"dependencies": {"y": "8.0.0"}}`)
				r.Write("CONTRIBUTING.md", "| `ws` | the peer |\n")
			},
			"",
		},
		{
			"an action by tag",
			func(_ *testing.T, r *toy.Repo) { r.Write(".github/workflows/ci.yml", "steps:\n  - uses: a/b@v4\n") },
			"actions: .github/workflows/ci.yml uses a/b@v4, which is not pinned by commit",
		},
		{
			"a module that dependabot does not watch",
			func(_ *testing.T, r *toy.Repo) { r.Replace(".github/dependabot.yml", "  - /internal\n", "") },
			"dependabot: .github/dependabot.yml does not watch internal",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newToy(t)
			tc.spoil(t, r)
			var out bytes.Buffer
			broken, err := run(&out, r.Root)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.TrimSuffix(out.String(), "\n")
			if tc.want == "" && got != "" || !strings.HasPrefix(got, tc.want) || strings.Contains(got, "\n") {
				t.Errorf("printed:\n%s\nwant:\n%s", got, tc.want)
			}
			if (broken > 0) != (tc.want != "") {
				t.Errorf("%d broken", broken)
			}
		})
	}
}

func TestLicenceIsNoLink(t *testing.T) {
	r := newToy(t)
	r.Git("rm", "--quiet", "pikvm/LICENSE")
	if err := os.Symlink("../LICENSE", filepath.Join(r.Root, "pikvm", "LICENSE")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := run(&out, r.Root); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "pikvm/LICENSE is not a regular file") {
		t.Errorf("printed:\n%s", out.String())
	}
}
