// Package disk has what the durable stores do with files: whatever replaces a file is written beside it, synced and renamed,
// so that a power cut leaves the old one or the new one.
package disk

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Op is an operation that can fail.
type Op string

// The operations.
const (
	Create Op = "create"
	Write  Op = "write"
	Sync   Op = "sync"
	Rename Op = "rename"
	Remove Op = "remove"
	Mkdir  Op = "mkdir"
)

// FS does the operations.
type FS struct {
	// Fault, if not nil, is asked before every operation, and fails it with what it returns. It is for tests.
	Fault func(op Op, name string) error
}

const (
	dirMode  = 0o750
	fileMode = 0o640
)

// TempSuffix is that of files that are being written. Who opens a directory removes what a crash left of them.
const TempSuffix = ".tmp"

// Check fails an operation if a test wants that.
func (f *FS) Check(op Op, name string) error {
	if f.Fault == nil {
		return nil
	}
	if err := f.Fault(op, name); err != nil {
		return &fs.PathError{Op: string(op), Path: name, Err: err}
	}
	return nil
}

// MkdirAll makes a directory and those above it, and makes their names last.
func (f *FS) MkdirAll(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := f.MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := f.Check(Mkdir, dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return f.SyncDir(parent)
}

// Replace writes a file anew: write gets an empty file beside it, which takes its place when it is synced.
func (f *FS) Replace(name string, write func(*File) error) error {
	temp := name + TempSuffix
	if err := f.Create(temp, write); err != nil {
		return err
	}
	if err := f.Rename(temp, name); err != nil {
		_ = os.Remove(temp) // if it stays, the next one replaces it
		return err
	}
	return nil
}

// Create makes a file, or empties it, and syncs what write writes. After an error it is gone.
func (f *FS) Create(name string, write func(*File) error) (err error) {
	defer func() {
		if err != nil {
			_ = os.Remove(name) // if it stays, who opens the directory removes it
		}
	}()
	if err := f.Check(Create, name); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	err = write(&File{file: file, fs: f})
	if err == nil {
		err = f.Check(Sync, name)
	}
	if err == nil {
		err = file.Sync()
	}
	return cmp.Or(err, file.Close())
}

// Rename renames a file within its directory, and makes that last.
func (f *FS) Rename(from, to string) error {
	if err := f.Check(Rename, from); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return f.SyncDir(filepath.Dir(to))
}

// Remove removes a file. One that is not there is fine.
func (f *FS) Remove(name string) error {
	if err := f.Check(Remove, name); err != nil {
		return err
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// SyncDir makes what happened to the names in a directory last.
func (f *FS) SyncDir(dir string) error {
	if err := f.Check(Sync, dir); err != nil {
		return err
	}
	return syncDir(dir)
}

// corruptInfix stands between the name of a file and when it was set aside.
const corruptInfix = ".corrupt-"

// keepCorrupt is how many files that were set aside are kept in a directory.
const keepCorrupt = 4

// SetAside renames a damaged file to *.corrupt-<time>, so that a new one can take its place, and returns its new name,
// without the directory. Of the files in the directory that were set aside, the newest are kept.
func (f *FS) SetAside(name string) (string, error) {
	at := time.Now().UTC()
	aside := name + corruptInfix + at.Format("20060102T150405.000000000Z")
	if err := f.Rename(name, aside); err != nil {
		return "", err
	}
	dir := filepath.Dir(name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return filepath.Base(aside), err
	}
	var old []string
	for _, e := range entries {
		if strings.Contains(e.Name(), corruptInfix) {
			old = append(old, e.Name())
		}
	}
	slices.SortFunc(old, func(a, b string) int {
		return cmp.Compare(a[strings.LastIndex(a, corruptInfix):], b[strings.LastIndex(b, corruptInfix):])
	})
	for _, name := range old[:max(0, len(old)-keepCorrupt)] {
		if err := f.Remove(filepath.Join(dir, name)); err != nil {
			return filepath.Base(aside), err
		}
	}
	return filepath.Base(aside), nil
}

// IsAside reports whether a file was set aside.
func IsAside(name string) bool { return strings.Contains(filepath.Base(name), corruptInfix) }

// File is a file that is being written.
type File struct {
	file *os.File
	fs   *FS
}

// Write writes to the end.
func (f *File) Write(p []byte) (int, error) {
	if err := f.fs.Check(Write, f.file.Name()); err != nil {
		return 0, err
	}
	return f.file.Write(p)
}

// WriteAt writes anywhere.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if err := f.fs.Check(Write, f.file.Name()); err != nil {
		return 0, err
	}
	return f.file.WriteAt(p, off)
}
