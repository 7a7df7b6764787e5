//go:build !windows && (!unix || aix || solaris)

package vfs

import (
	"errors"
	"io"
	"os"
)

func syncDir(dir string) error { return nil }

func lock(name string) (io.Closer, error) {
	return nil, &os.PathError{Op: "lock", Path: name, Err: errors.ErrUnsupported}
}
