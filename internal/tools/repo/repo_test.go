package repo_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
	"github.com/fieldlink-go/fieldlink/internal/tools/toy"
)

func dirs(modules []*repo.Module) string {
	var names []string
	for _, m := range modules {
		names = append(names, m.Dir)
	}
	return strings.Join(names, " ")
}

func TestOpenOrdersDependenciesFirst(t *testing.T) {
	r := toy.New(t).Open()
	if d := cmp.Diff("errkit internal wsclient pikvm internal/e2e pikvm/cmd/pikvmctl", dirs(r.Modules)); d != "" {
		t.Errorf("modules (-want +got):\n%s", d)
	}
	if d := cmp.Diff("errkit internal wsclient pikvm pikvm/cmd/pikvmctl", dirs(r.Published())); d != "" {
		t.Errorf("published (-want +got):\n%s", d)
	}
}

func TestOpenRefusesCircle(t *testing.T) {
	toy := toy.New(t)
	toy.Write("errkit/go.mod", "module "+repo.Prefix+"/errkit\n\ngo 1.26.0\n\nrequire "+repo.Prefix+"/pikvm v0.1.0\n")
	_, err := repo.Open(toy.Root)
	if err == nil || !strings.Contains(err.Error(), "errkit -> pikvm -> errkit") {
		t.Errorf("%v, want the circle", err)
	}
}

func TestVersions(t *testing.T) {
	toy := toy.New(t)
	for _, tag := range []string{"v9.9.9", "errkit/v0.10.0", "errkit/v0.9.0", "errkit/v0.10.0-rc.1", "errkit/latest", "errkit/v1"} {
		toy.Git("tag", tag)
	}
	r := toy.Open()
	got, err := r.Versions(t.Context(), r.ByDir("errkit"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"v0.9.0", "v0.10.0-rc.1", "v0.10.0"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestChangedLeavesNestedModulesOut(t *testing.T) {
	toy := toy.New(t)
	toy.Git("tag", "before")
	toy.Write("internal/e2e/new.txt", "nested, in go.work")
	toy.Write("internal/tools/new.txt", "nested, not in go.work")
	toy.Write("internal/leak/new.txt", "its own")
	toy.Commit("new")
	r := toy.Open()
	got, err := r.Changed(t.Context(), r.ByDir("internal"), "before")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"internal/leak/new.txt"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestSyncWork(t *testing.T) {
	toy := toy.New(t)
	before := toy.Read("go.work")
	if changed, err := toy.Open().SyncWork(); changed || err != nil {
		t.Fatalf("%t %v, want no change:\n%s", changed, err, toy.Read("go.work"))
	}
	toy.Replace("wsclient/go.mod", "errkit v0.1.0", "errkit v0.2.0")
	if changed, err := toy.Open().SyncWork(); !changed || err != nil {
		t.Fatalf("%t %v, want a change", changed, err)
	}
	line := "\t" + repo.Prefix + "/errkit v0.1.0 => ./errkit\n"
	want := strings.Replace(before, line, line+strings.Replace(line, "v0.1.0", "v0.2.0", 1), 1)
	if d := cmp.Diff(want, toy.Read("go.work")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	toy.Replace("wsclient/go.mod", "errkit v0.2.0", "errkit v0.1.0")
	if _, err := toy.Open().SyncWork(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, toy.Read("go.work")); d != "" {
		t.Errorf("back again (-want +got):\n%s", d)
	}
}
