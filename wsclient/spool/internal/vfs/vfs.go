// Package vfs is the layer between the log and the disk: the few file operations that the log is made of, so that tests
// can record them, fail them, and replay them into the disks that a power cut leaves.
package vfs

import (
	"errors"
	"io"
)

// ErrLocked is returned by [FS.Lock] for a file that is locked already.
var ErrLocked = errors.New("locked by another opener")

// FS is a file system. Names are paths as the operating system writes them.
type FS interface {
	// MkdirAll makes a directory and those above it.
	MkdirAll(dir string) error
	// List returns the names of the files in a directory, without the directory.
	List(dir string) ([]string, error)
	// Open opens a file for reading.
	Open(name string) (File, error)
	// Edit opens a file that exists for reading and writing.
	Edit(name string) (File, error)
	// Create makes an empty file, or empties the one that is there, for reading and writing.
	Create(name string) (File, error)
	// Rename gives a file another name; a file that had it is gone. It is all or nothing.
	Rename(from, to string) error
	// Remove takes the name of a file away.
	Remove(name string) error
	// SyncDir makes what happened to the names in a directory last.
	SyncDir(dir string) error
	// Lock locks a file, which it makes if need be, until the lock is closed or the process ends.
	Lock(name string) (io.Closer, error)
}

// File is an open file. It is an alias, so that the disk in memory of the tests, in a module of its own, has the same type.
type File = interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	// Sync makes the contents last.
	Sync() error
	Size() (int64, error)
}
