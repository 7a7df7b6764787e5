// Package filetree writes module versions into a folder that the go command can use as a module proxy
// (GOPROXY=file:///the/folder), built from a git tree exactly as the public proxy would build them from a tag.
package filetree

import (
	stdzip "archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// Add writes the folder subdir of a tree-ish of the git repository in repoDir as version v, and returns the hash of
// the module zip as go.sum has it. A version that is there already must have the same hash.
func Add(root, repoDir, treeish string, v module.Version, subdir string) (string, error) {
	if err := module.Check(v.Path, v.Version); err != nil {
		return "", err
	}
	var content bytes.Buffer
	if err := zip.CreateFromVCS(&content, v, repoDir, treeish, subdir); err != nil {
		return "", err
	}
	mod, err := goMod(content.Bytes(), v)
	if err != nil {
		return "", err
	}
	dir, version, err := place(root, v)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	fresh := filepath.Join(dir, version+".zip.new")
	if err := os.WriteFile(fresh, content.Bytes(), 0o666); err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(fresh) }() // gone already if it became the zip
	hash, err := dirhash.HashZip(fresh, dirhash.Hash1)
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, version+".zip")
	if old, err := dirhash.HashZip(name, dirhash.Hash1); err == nil && old != hash {
		return "", fmt.Errorf("%s is in the file tree with other content: %s, not %s", v, old, hash)
	}
	if err := os.Rename(fresh, name); err != nil {
		return "", err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{v.Version, time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, version+".info"), info, 0o666); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, version+".mod"), mod, 0o666); err != nil {
		return "", err
	}
	return hash, list(filepath.Join(dir, "list"), v.Version)
}

// place is the folder and the escaped file name of a version, as the module proxy protocol lays them out.
func place(root string, v module.Version) (dir, version string, err error) {
	escaped, err := module.EscapePath(v.Path)
	if err != nil {
		return "", "", err
	}
	version, err = module.EscapeVersion(v.Version)
	return filepath.Join(root, filepath.FromSlash(escaped), "@v"), version, err
}

// goMod is the go.mod file in the zip of version v.
func goMod(content []byte, v module.Version) ([]byte, error) {
	archive, err := stdzip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	return fs.ReadFile(archive, v.Path+"@"+v.Version+"/go.mod")
}

// list adds a version to the list of versions in the named file.
func list(name, version string) error {
	data, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	versions := append(strings.Fields(string(data)), version)
	slices.SortFunc(versions, semver.Compare)
	versions = slices.Compact(versions)
	return os.WriteFile(name, []byte(strings.Join(versions, "\n")+"\n"), 0o666)
}
