// Relzip writes versions of modules into a folder that serves as a module proxy, and prints their go.sum hashes.
//
//	relzip OUT REPO TREEISH path@version=subdir...
//
// OUT is the folder, REPO a git repository, TREEISH the tree to take the files from: a tag, a commit, or what
// `git write-tree` printed. With GOPROXY=file://OUT the go command then finds the versions.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"

	"github.com/fieldlink-go/fieldlink/internal/tools/filetree"
)

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "relzip:", err)
		os.Exit(1)
	}
}

func run(stdout io.Writer, args []string) error {
	if len(args) < 4 {
		return fmt.Errorf("usage: relzip OUT REPO TREEISH path@version=subdir [path@version=subdir]")
	}
	out, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	for _, arg := range args[3:] {
		v, subdir, err := parse(arg)
		if err != nil {
			return err
		}
		hash, err := filetree.Add(out, args[1], args[2], v, subdir)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s %s %s\n", v.Path, v.Version, hash)
	}
	return nil
}

// parse splits path@version=subdir.
func parse(arg string) (v module.Version, subdir string, err error) {
	name, subdir, hasDir := strings.Cut(arg, "=")
	path, version, hasVersion := strings.Cut(name, "@")
	if !hasDir || !hasVersion || subdir == "" {
		return v, "", fmt.Errorf("%q is not of the form path@version=subdir", arg)
	}
	v = module.Version{Path: path, Version: version}
	return v, strings.Trim(filepath.ToSlash(subdir), "/"), module.Check(path, version)
}
