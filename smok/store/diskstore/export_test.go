package diskstore

import (
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/disk"
)

// OpenOn is Open with file operations that fail when fault says so, and with more steps of migration behind those that
// there are.
func OpenOn(fault func(op disk.Op, name string) error, dir string, opts *Options, more ...func(dir string) error) (*store.Store, error) {
	all := steps
	for _, s := range more {
		all = append(all[:len(all):len(all)], func(_ *disk.FS, dir string) error { return s(dir) })
	}
	return openOn(disk.FS{Fault: fault}, dir, opts, all)
}

// Versions is the number of the present version.
var Versions = len(steps)

// FormatVersion returns the contents of a version's file.
func FormatVersion(version int) []byte { return formatVersion(version) }

// BlobName returns the name of a blob's file.
func BlobName(key string) string { return blobName(key) }
