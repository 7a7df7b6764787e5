// Package strace turns what the program strace says of a process into the operations of package cutdisk, so that what a
// program really did to its files can be compared with what a disk in memory recorded, and cut like it.
package strace

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
)

// Flags let strace write to the file out what [Ops] understands: all threads, strings whole and in hexadecimal, and the
// calls that change files.
func Flags(out string) []string {
	return []string{
		"-f", "-qq", "-xx", "-s", "16777216", "-e", "signal=none", "-o", out, "-e", "trace=" + strings.Join([]string{
			"open", "openat", "openat2", "creat", "close", "dup", "dup2", "dup3",
			"lseek", "write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "copy_file_range",
			"truncate", "ftruncate", "fallocate", "fsync", "fdatasync", "sync_file_range", "sync", "syncfs",
			"rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat",
			"unlink", "unlinkat", "rmdir", "mkdir", "mkdirat",
		}, ","),
	}
}

// Notes is the file by which the traced process speaks to the reader of its operations: each write to it is a note.
const Notes = "notes"

// Ops reads what strace wrote, under [Flags], about processes that worked in a directory one behind the other, the first of
// which found it empty. That directory is the root of the disk; it gets the operations on relative paths. Absolute paths
// are no concern of it. A call on its files that is none of cutdisk's operations is an error.
func Ops(traces ...io.Reader) ([]cutdisk.Op, error) {
	t := tracer{files: make(map[string]int), dirs: map[string]bool{cutdisk.Root: true}}
	for i, r := range traces {
		t.fds, t.open, t.ends = make(map[string]string), make(map[string]int), make(map[string]int64)
		if err := t.process(r); err != nil {
			return nil, fmt.Errorf("process %d: %w", i+1, err)
		}
	}
	return t.ops, nil
}

// process reads the calls of one process.
func (t *tracer) process(r io.Reader) error {
	halves := make(map[string]string) // calls that have begun, by thread
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := in.ReadString('\n')
		if err == io.EOF && line == "" {
			return t.unfinished(halves)
		}
		if err != nil && err != io.EOF {
			return err
		}
		thread, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		text = strings.TrimSpace(text)
		if begun, ok := strings.CutSuffix(text, "<unfinished ...>"); ok {
			halves[thread] = begun
			continue
		}
		if strings.HasPrefix(text, "<... ") {
			_, rest, _ := strings.Cut(text, "resumed>")
			text = strings.TrimSpace(halves[thread]) + rest
			delete(halves, thread)
		}
		if err := t.line(text); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// unfinished takes the calls that the end of the process found under way: whether they were done cannot be told, so there
// may be none that changes a file.
func (t *tracer) unfinished(halves map[string]string) error {
	for _, text := range halves {
		_, args, _ := strings.Cut(text, "(")
		if _, ours := t.fds[strings.TrimSpace(strings.Split(args, ",")[0])]; ours {
			return fmt.Errorf("the process was killed within %.200s", text)
		}
	}
	return nil
}

// tracer follows the files of a process.
type tracer struct {
	ops   []cutdisk.Op
	fds   map[string]string // path by descriptor
	open  map[string]int    // file by descriptor
	ends  map[string]int64  // where the next plain write goes, by descriptor
	files map[string]int    // file by path
	dirs  map[string]bool
	last  int // number of the youngest file
}

// call is a system call that has succeeded.
type call struct {
	name   string
	args   []string
	result string
}

// line takes one call. Those that failed, and what is no call, did nothing.
func (t *tracer) line(text string) error {
	name, rest, ok := strings.Cut(text, "(")
	end := strings.LastIndex(rest, " = ")
	if !ok || end < 0 {
		return nil
	}
	result, _, _ := strings.Cut(rest[end+3:], " ")
	args, ok := strings.CutSuffix(strings.TrimSpace(rest[:end]), ")")
	if !ok || result == "-1" || result == "?" {
		return nil
	}
	c := call{name: name, args: strings.Split(args, ", "), result: result}
	if name == "sync" || name == "syncfs" {
		return fmt.Errorf("%s makes more last than can be told", name)
	}
	switch name {
	case "open":
		return t.opened(c, c.arg(0), c.arg(1))
	case "openat":
		return t.opened(c, t.at(c, 0), c.arg(2))
	case "close":
		delete(t.fds, c.arg(0))
		delete(t.open, c.arg(0))
		return nil
	case "rename":
		return t.renamed(c, c.arg(0), c.arg(1))
	case "renameat", "renameat2":
		return t.renamed(c, t.at(c, 0), t.at(c, 2))
	case "unlink":
		return t.unlinked(c, c.arg(0))
	case "unlinkat":
		return t.unlinked(c, t.at(c, 0))
	case "mkdir":
		return t.made(c, c.arg(0))
	case "mkdirat":
		return t.made(c, t.at(c, 0))
	}
	if _, ok := t.fds[c.arg(0)]; ok {
		return t.used(c)
	}
	switch name {
	case "creat", "openat2", "truncate", "link", "linkat", "symlink", "symlinkat", "rmdir":
		for _, a := range c.args {
			if _, ok, err := path(a); ok || err != nil {
				return c.unknown()
			}
		}
	case "copy_file_range":
		if _, ok := t.fds[c.arg(2)]; ok {
			return c.unknown()
		}
	}
	return nil
}

// at returns the path behind argument i, which says in which directory relative ones begin. In one that is no concern of
// ours the path is none of ours; in one of ours it is not understood.
func (t *tracer) at(c call, i int) string {
	switch _, ours := t.fds[c.arg(i)]; {
	case c.arg(i) == "AT_FDCWD":
		return c.arg(i + 1)
	case ours:
		return `"in ` + c.arg(i)
	default:
		return `"\x2f"`
	}
}

// used takes a call on an open file.
func (t *tracer) used(c call) error {
	name, fd := t.fds[c.arg(0)], c.arg(0)
	file, isFile := t.open[fd]
	isNote := name == filepath.Join(cutdisk.Root, Notes)
	switch {
	case c.name == "write" && isNote:
		data, err := quoted(c.arg(1))
		t.ops = append(t.ops, cutdisk.Op{Kind: cutdisk.Note, Data: data})
		return err
	case c.name == "fsync" || c.name == "fdatasync":
		if t.dirs[name] {
			t.ops = append(t.ops, cutdisk.Op{Kind: cutdisk.SyncDir, Name: name})
			return nil
		}
		t.ops = append(t.ops, cutdisk.Op{Kind: cutdisk.Sync, File: file})
		return nil
	case c.name == "pwrite64" && isFile:
		data, err := quoted(c.arg(1))
		if err != nil {
			return err
		}
		n, off := number(c.result), number(c.arg(3))
		if n < 0 || n > int64(len(data)) || off < 0 {
			return c.unknown()
		}
		t.ops = append(t.ops, cutdisk.Op{Kind: cutdisk.Write, File: file, Off: off, Data: data[:n]})
		return nil
	case c.name == "write" && isFile:
		data, err := quoted(c.arg(1))
		n := number(c.result)
		if err != nil || n < 0 || n > int64(len(data)) {
			return c.unknown()
		}
		t.ops = append(t.ops, cutdisk.Op{Kind: cutdisk.Write, File: file, Off: t.ends[fd], Data: data[:n]})
		t.ends[fd] += n
		return nil
	case c.name == "ftruncate" && isFile:
		size := number(c.arg(1))
		if size < 0 {
			return c.unknown()
		}
		t.ops = append(t.ops, cutdisk.Op{Kind: cutdisk.Truncate, File: file, Off: size})
		return nil
	default:
		return c.unknown()
	}
}

// opened takes an open of the path arg.
func (t *tracer) opened(c call, arg, flags string) error {
	delete(t.fds, c.result) // of a file that is no concern
	delete(t.open, c.result)
	delete(t.ends, c.result)
	name, ok, err := path(arg)
	if !ok || err != nil {
		return err
	}
	t.fds[c.result] = name
	if name != filepath.Join(cutdisk.Root, Notes) && strings.Contains(flags, "O_APPEND") {
		return c.unknown()
	}
	if t.dirs[name] || name == filepath.Join(cutdisk.Root, Notes) {
		return nil
	}
	file, exists := t.files[name]
	switch {
	case exists && strings.Contains(flags, "O_TRUNC"):
		t.ops = append(t.ops, cutdisk.Op{Kind: cutdisk.Truncate, File: file})
	case exists:
	case strings.Contains(flags, "O_CREAT"):
		t.last++
		file = t.last
		t.files[name] = file
		t.ops = append(t.ops, cutdisk.Op{Kind: cutdisk.Create, File: file, Name: name})
	default:
		return fmt.Errorf("%s was there before", name)
	}
	t.open[c.result] = file
	return nil
}

func (t *tracer) renamed(c call, from, to string) error {
	old, ok, err := path(from)
	name, too, err2 := path(to)
	if err != nil || err2 != nil || ok != too {
		return c.unknown()
	}
	if !ok {
		return nil
	}
	file, exists := t.files[old]
	if !exists {
		return c.unknown()
	}
	delete(t.files, old)
	t.files[name] = file
	t.ops = append(t.ops, cutdisk.Op{Kind: cutdisk.Rename, File: file, Name: old, To: name})
	return nil
}

func (t *tracer) unlinked(c call, arg string) error {
	name, ok, err := path(arg)
	if !ok || err != nil {
		return err
	}
	file, exists := t.files[name]
	if !exists {
		return c.unknown()
	}
	delete(t.files, name)
	t.ops = append(t.ops, cutdisk.Op{Kind: cutdisk.Remove, File: file, Name: name})
	return nil
}

func (t *tracer) made(c call, arg string) error {
	name, ok, err := path(arg)
	if !ok || err != nil {
		return err
	}
	if t.dirs[name] {
		return c.unknown()
	}
	t.dirs[name] = true
	t.ops = append(t.ops, cutdisk.Op{Kind: cutdisk.Mkdir, Name: name})
	return nil
}

func (c call) arg(i int) string {
	if i < len(c.args) {
		return c.args[i]
	}
	return ""
}

func (c call) unknown() error {
	text := c.name + "(" + strings.Join(c.args, ", ")
	return fmt.Errorf("not an operation of a log: %.200s) = %s", text, c.result)
}

// path returns the name on the disk that an argument says, if it is a relative path.
func path(arg string) (name string, ok bool, err error) {
	if !strings.HasPrefix(arg, `"`) {
		return "", false, nil
	}
	b, err := quoted(arg)
	if err != nil || filepath.IsAbs(string(b)) {
		return "", false, err
	}
	return filepath.Join(cutdisk.Root, string(b)), true, nil
}

// quoted returns the bytes of a string argument.
func quoted(arg string) ([]byte, error) {
	text, begins := strings.CutPrefix(arg, `"`)
	text, ends := strings.CutSuffix(text, `"`)
	if !begins || !ends || len(text)%4 != 0 {
		return nil, fmt.Errorf("not a whole string: %.80s", arg)
	}
	return hex.DecodeString(strings.ReplaceAll(text, `\x`, ""))
}

// number returns the number that an argument says, -1 if it says none.
func number(arg string) int64 {
	n, err := strconv.ParseInt(arg, 0, 64)
	if err != nil || n > math.MaxInt64/2 {
		return -1
	}
	return n
}
