package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// writeFile writes a file whole or not at all.
func writeFile(name string, data []byte) error {
	return create(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// create lets write fill a file that appears under its name only when it is whole.
func create(name string, write func(w io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Close())
	if err == nil {
		err = os.Chmod(file.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		_ = os.Remove(file.Name()) // a part is of no use; the error says why it is one
	}
	return err
}
