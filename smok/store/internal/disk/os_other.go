//go:build !windows && (!unix || aix || solaris)

package disk

import (
	"errors"
	"io"
	"os"
)

func syncDir(string) error { return nil }

func lock(name string) (io.Closer, error) {
	return nil, &os.PathError{Op: "lock", Path: name, Err: errors.ErrUnsupported}
}
