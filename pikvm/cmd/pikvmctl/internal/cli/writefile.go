package cli

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fieldlink-go/fieldlink/pikvm/cmd/pikvmctl/internal/exit"
)

// fill lets write fill a file, or stdout if the name is "-". What it writes is no text, and a terminal would go mad from it.
func (a *app) fill(name string, write func(w io.Writer) error) error {
	switch {
	case name != "-":
		return create(name, write)
	case a.sys.StdoutTerminal:
		return exit.Usagef("this is no text to be shown on a terminal: name a file, or send it to another program")
	}
	return write(a.sys.Stdout)
}

// writing writes data.
func writing(data []byte) func(w io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// create lets write fill a file that appears under its name only when it is whole. What is there and is no file, such as
// a disk or /dev/null, is written to as it is: a file in its place is never meant.
func create(name string, write func(w io.Writer) error) error {
	there, err := os.Stat(name)
	if err == nil && !there.Mode().IsRegular() {
		return overwrite(name, write)
	}
	if err == nil {
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return err
		}
	}
	part := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text()[:8])
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) // less what the umask takes away
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		path.Path = name // the only one of the two that its reader knows
	}
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Close())
	if err == nil && there != nil {
		err = os.Chmod(part, there.Mode().Perm())
	}
	if err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		_ = os.Remove(part) // a part is of no use; the error says why it is one
	}
	return err
}

// overwrite lets write fill what is no regular file.
func overwrite(name string, write func(w io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
