// Package toy makes small repositories of the layout of this one, for the tests of the tools.
package toy

import (
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/fieldlink-go/fieldlink/internal/tools/repo"
)

//go:embed toy.txtar
var files []byte

// Repo is a toy repository in a temporary folder, with every file committed.
type Repo struct {
	t    testing.TB
	Root string
}

// New makes a toy repository. It has no dependency on anything that is not in it, so the go command works without a
// network, which New also takes away.
func New(t testing.TB) *Repo {
	t.Helper()
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "")
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_SYSTEM", os.DevNull)
	r := &Repo{t: t, Root: t.TempDir()}
	for _, file := range txtar.Parse(files).Files {
		r.Write(file.Name, string(file.Data))
	}
	r.Git("init", "--quiet", "--initial-branch=main")
	r.Git("config", "user.name", "toy")
	r.Git("config", "user.email", "toy@example.com")
	r.Commit("toy")
	return r
}

// Write writes a file, creating its folder.
func (r *Repo) Write(name, text string) {
	r.t.Helper()
	name = filepath.Join(r.Root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		r.t.Fatal(err)
	}
}

// Read returns the text of a file, "" if there is none.
func (r *Repo) Read(name string) string {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.Root, filepath.FromSlash(name)))
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	return string(data)
}

// Replace replaces a text that a file must hold.
func (r *Repo) Replace(name, text, by string) {
	r.t.Helper()
	old := r.Read(name)
	if !strings.Contains(old, text) {
		r.t.Fatalf("%s does not hold %q:\n%s", name, text, old)
	}
	r.Write(name, strings.Replace(old, text, by, 1))
}

// Git runs git in the repository.
func (r *Repo) Git(args ...string) string {
	r.t.Helper()
	out, err := repo.Git(r.t.Context(), r.Root, args...)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// Commit commits every file.
func (r *Repo) Commit(message string) {
	r.t.Helper()
	r.Git("add", "--all")
	r.Git("commit", "--quiet", "--message", message)
}

// Open opens the repository.
func (r *Repo) Open() *repo.Repo {
	r.t.Helper()
	opened, err := repo.Open(r.Root)
	if err != nil {
		r.t.Fatal(err)
	}
	return opened
}
