package repo

import (
	"bytes"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// Replacements lists what go.work has to replace: each sibling version that a module requires, by the sibling's
// folder. Where the go command needs the whole module graph it would otherwise look for versions that are not
// published yet.
func (r *Repo) Replacements() map[module.Version]string {
	replacements := make(map[module.Version]string)
	for _, m := range r.Modules {
		for _, req := range m.Siblings() {
			if sibling := r.ByPath(req.Path); sibling != nil {
				replacements[req] = "./" + sibling.Dir
			}
		}
	}
	return replacements
}

// SyncWork writes the replacements of go.work anew if they are not those of Replacements, and reports whether it did.
func (r *Repo) SyncWork() (bool, error) {
	want := r.Replacements()
	for v, dir := range want {
		if err := r.Work.AddReplace(v.Path, v.Version, dir, ""); err != nil {
			return false, err
		}
	}
	for _, replace := range r.Work.Replace {
		if want[replace.Old] != replace.New.Path {
			if err := r.Work.DropReplace(replace.Old.Path, replace.Old.Version); err != nil {
				return false, err
			}
		}
	}
	r.Work.SortBlocks()
	r.Work.Cleanup()
	name := filepath.Join(r.Root, "go.work")
	old, err := os.ReadFile(name)
	if err != nil {
		return false, err
	}
	text := modfile.Format(r.Work.Syntax)
	if bytes.Equal(text, old) {
		return false, nil
	}
	return true, os.WriteFile(name, text, 0o666)
}
