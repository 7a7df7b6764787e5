package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/tools/toy"
)

func TestAPICheck(t *testing.T) {
	apidiff := filepath.Join(t.TempDir(), "apidiff")
	env := append(os.Environ(), "GOWORK=off")
	if _, err := execute(t.Context(), ".", env, "go", "build", "-o", apidiff, "golang.org/x/exp/cmd/apidiff"); err != nil {
		t.Fatal(err)
	}
	r := toy.New(t)
	if err := os.MkdirAll(filepath.Join(r.Root, ".bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(apidiff, filepath.Join(r.Root, ".bin", "apidiff")); err != nil {
		t.Fatal(err)
	}
	if out := mustRunIn(t, r, "api-check"); strings.Count(out, "has no tag yet") != 5 {
		t.Errorf("before the first tag:\n%s", out)
	}
	for _, m := range []string{"errkit", "internal", "wsclient", "pikvm", "pikvm/cmd/pikvmctl"} {
		r.Git("tag", m+"/v0.1.0")
	}
	if out := mustRunIn(t, r, "api-check"); strings.Count(out, "compatible with v0.1.0") != 5 {
		t.Errorf("unchanged:\n%s", out)
	}
	r.Replace("errkit/doc.go", "// Old goes away.\nfunc Old() {}\n", "// New is new.\nfunc New() {}\n")
	mustFailIn(t, r, "incompatible with the last tag: errkit", "api-check")
	r.Replace("errkit/CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n### Breaking\n\n- Old is gone.\n")
	out := mustRunIn(t, r, "api-check")
	if !strings.Contains(out, "errkit         breaks v0.1.0, as its changelog says") || !strings.Contains(out, "Old: removed") {
		t.Errorf("announced break:\n%s", out)
	}
	// The module internal is compared too, although every package of it has an internal path.
	r.Replace("internal/leak/doc.go", "func Check()", "func Find()")
	r.Replace("wsclient/dial_test.go", "leak.Check()", "leak.Find()")
	mustFailIn(t, r, "incompatible with the last tag: internal", "api-check")
}
