package pikvmtest

import (
	"fmt"
	"io"
	"os"
)

// content keeps the bytes of an image.
type content interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
}

// maxInMemory is the size from which images are kept in temporary files, in bytes.
const maxInMemory = 4 << 20

// newContent makes room for an image.
func newContent(size int64) (content, error) {
	if size <= maxInMemory {
		return memory(make([]byte, size)), nil
	}
	f, err := os.CreateTemp("", "pikvmtest-*.img")
	if err != nil {
		return nil, err
	}
	return &temporary{f}, nil
}

// memory is content in memory, all of it from the beginning.
type memory []byte

func (m memory) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(m)) {
		return 0, io.EOF
	}
	n := copy(p, m[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m memory) WriteAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > int64(len(m)) {
		return 0, fmt.Errorf("pikvmtest: %d bytes at %d in an image of %d", len(p), off, len(m))
	}
	return copy(m[off:], p), nil
}

func (m memory) Close() error { return nil }

// temporary is content in a file that Close removes.
type temporary struct{ *os.File }

func (t *temporary) Close() error {
	err := t.File.Close()
	_ = os.Remove(t.Name()) // it is in the directory for such files
	return err
}
