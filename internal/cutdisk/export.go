package cutdisk

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Export writes what is on the disk into a new directory of the operating system, for programs that work only there.
func (d *Disk) Export(root string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, dir := range slices.Sorted(maps.Keys(d.image.dirs)) { // a directory comes before what is in it
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			return err
		}
	}
	var err error
	for name, file := range d.image.names {
		err = cmp.Or(err, os.WriteFile(filepath.Join(root, name), d.image.files[file], 0o600))
	}
	return err
}
