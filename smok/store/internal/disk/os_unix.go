//go:build unix && !aix && !solaris

package disk

import (
	"errors"
	"io"
	"os"
	"syscall"
)

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		_ = f.Close() // the first failure counts
		return err
	}
	return f.Close()
}

// lock takes an advisory lock, which belongs to the open file.
func lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return locked{f}, nil
	}
	_ = f.Close() // it was not locked
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, ErrLocked
	}
	return nil, &os.PathError{Op: "lock", Path: name, Err: err}
}

// locked is a file that is locked.
type locked struct{ *os.File }

// Close unlocks the file before it closes it: a process that is just being started holds the file a moment longer.
func (l locked) Close() error {
	err := syscall.Flock(int(l.Fd()), syscall.LOCK_UN)
	return errors.Join(err, l.File.Close())
}
