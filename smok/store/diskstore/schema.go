package diskstore

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/internal/disk"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// step brings a directory from one version to the next. The directory is locked, and no part of it is open. After a crash
// it is done again, from whatever it had come to.
type step func(fsys *disk.FS, dir string) error

// steps are those from version 0, that of an empty directory, on. Their number is the present version.
var steps = []step{
	func(*disk.FS, string) error { return nil }, // the parts make themselves
}

const versionName = "version"

// errNewer is the cause of the error for a directory that a newer version wrote.
var errNewer = errors.New("written by a newer version")

// migrate brings the directory up to date.
func (p *parts) migrate(steps []step) error {
	name := filepath.Join(p.dir, versionName)
	present := len(steps)
	b, err := os.ReadFile(name)
	version, ok := 0, true
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		version, ok = parseVersion(b)
	}
	if !ok {
		// The parts know their own versions. That this directory is of the present one is the best guess.
		p.opts.report(store.Report{Area: "version", Report: spool.Report{
			Kind: spool.Damaged, File: versionName, Reason: "the version of the directory is damaged",
		}})
		return p.setVersion(name, present)
	}
	if version > present {
		return fmt.Errorf("%w: version %d, known are those to %d", errNewer, version, present)
	}
	for ; version < present; version++ {
		if err := steps[version](&p.fs, p.dir); err != nil {
			return fmt.Errorf("from version %d to %d: %w", version, version+1, err)
		}
		if err := p.setVersion(name, version+1); err != nil {
			return err
		}
	}
	return nil
}

func (p *parts) setVersion(name string, version int) error {
	return p.fs.Replace(name, func(f *disk.File) error {
		_, err := f.Write(formatVersion(version))
		return err
	})
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// formatVersion returns the contents of the version's file: a line for people, with a checksum.
func formatVersion(version int) []byte {
	text := fmt.Sprintf("smok device store, version %d", version)
	return fmt.Appendf(nil, "%s, checksum %08x\n", text, crc32.Checksum([]byte(text), castagnoli))
}

func parseVersion(b []byte) (version int, ok bool) {
	var sum uint32
	if _, err := fmt.Sscanf(string(b), "smok device store, version %d, checksum %x\n", &version, &sum); err != nil {
		return 0, false
	}
	return version, string(formatVersion(version)) == string(b)
}
