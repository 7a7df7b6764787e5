package vfs

import (
	"io"
	"os"
)

// OS is the file system of the operating system.
type OS struct{}

const (
	dirMode  = 0o750
	fileMode = 0o640
)

// MkdirAll makes dir and those above it.
func (OS) MkdirAll(dir string) error { return os.MkdirAll(dir, dirMode) }

// List returns the names in dir.
func (OS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// Open opens a file for reading.
func (OS) Open(name string) (File, error) { return open(name, os.O_RDONLY) }

// Edit opens a file that exists for reading and writing.
func (OS) Edit(name string) (File, error) { return open(name, os.O_RDWR) }

// Create makes an empty file.
func (OS) Create(name string) (File, error) { return open(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC) }

// Rename renames a file.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove removes a file.
func (OS) Remove(name string) error { return os.Remove(name) }

// SyncDir syncs a directory.
func (OS) SyncDir(dir string) error { return syncDir(dir) }

// Lock locks the file name.
func (OS) Lock(name string) (io.Closer, error) { return lock(name) }

func open(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, fileMode)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
