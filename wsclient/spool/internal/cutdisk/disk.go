package cutdisk

import (
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// Disk is a disk in memory. It may be used by several goroutines.
type Disk struct {
	// SkipSync, if not nil, is asked before every sync with the name of the function that wants it, such as
	// "commit:file" or "create:dir". If it says yes, the sync does nothing and succeeds. It is set before use.
	SkipSync func(site string) bool

	// Fail, if not nil, is asked before every operation. What it returns is the operation's failure; a write has then
	// written the first half. It is set before use.
	Fail func(op Op, site string) error

	mu    sync.Mutex
	ops   []Op
	image image
	last  int // number of the youngest file
	sites map[string]int
	Bytes int64 // written
	Syncs int
}

// image is the contents of a disk.
type image struct {
	dirs  map[string]bool
	names map[string]int
	files map[int][]byte
}

func newImage() image {
	return image{dirs: map[string]bool{}, names: map[string]int{}, files: map[int][]byte{}}
}

// New returns an empty disk.
func New() *Disk { return &Disk{image: newImage(), sites: map[string]int{}} }

// Ops returns what was done so far.
func (d *Disk) Ops() []Op {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.ops)
}

// Note marks a place among the operations and returns its index.
func (d *Disk) Note() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops = append(d.ops, Op{Kind: Note})
	return len(d.ops) - 1
}

// Sites returns from where syncs came, and how often.
func (d *Disk) Sites() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.sites)
}

// Names returns the paths of all files.
func (d *Disk) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.image.names))
}

// Contents returns the contents of a file, nil if there is none.
func (d *Disk) Contents(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	file, ok := d.image.names[name]
	if !ok {
		return nil
	}
	return slices.Clone(d.image.files[file])
}

// Scar changes contents as a failing medium does.
func (d *Disk) Scar(name string, off int64, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.do(Op{Kind: Scar, File: d.image.names[name], Off: off, Data: slices.Clone(data)})
}

// Clone returns a disk with the same contents and no past.
func (d *Disk) Clone() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := New()
	c.last = d.last
	c.image = d.image.clone()
	return c
}

func (m image) clone() image {
	files := make(map[int][]byte, len(m.files))
	for k, v := range m.files {
		files[k] = slices.Clone(v)
	}
	return image{dirs: maps.Clone(m.dirs), names: maps.Clone(m.names), files: files}
}

// do records and applies op. mu is held.
func (d *Disk) do(op Op) {
	d.ops = append(d.ops, op)
	d.image.apply(&op)
}

// apply does op to the image.
func (m image) apply(op *Op) {
	switch op.Kind {
	case Mkdir:
		m.dirs[op.Name] = true
	case Create:
		m.names[op.Name] = op.File
	case Rename:
		if m.names[op.Name] == op.File {
			delete(m.names, op.Name)
		}
		m.names[op.To] = op.File
	case Remove:
		if m.names[op.Name] == op.File {
			delete(m.names, op.Name)
		}
	case Write, Scar:
		m.write(op.File, op.Off, op.Data)
	case Truncate:
		m.resize(op.File, op.Off)
	case Sync, SyncDir, Note:
	}
}

func (m image) write(file int, off int64, data []byte) {
	if end := off + int64(len(data)); end > int64(len(m.files[file])) {
		m.resize(file, end)
	}
	copy(m.files[file][off:], data)
}

func (m image) resize(file int, size int64) {
	b := m.files[file]
	if size <= int64(len(b)) {
		m.files[file] = b[:size]
		return
	}
	m.files[file] = append(b, make([]byte, size-int64(len(b)))...)
}

// Session returns a file system on the disk, as one process has it.
func (d *Disk) Session() *Session { return &Session{disk: d} }

// Session is a file system on a [Disk] until it is killed.
type Session struct {
	disk *Disk
	mu   sync.Mutex
	dead bool
	left int // operations until the session is killed; 0 means any number
	lock bool
}

// Kill ends the process: nothing that it does from now on has an effect, and its locks are free.
func (s *Session) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
}

// KillAfter kills the session when it has done n more operations.
func (s *Session) KillAfter(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = n
}

// change does op unless the session is dead or the test wants it to fail.
func (s *Session) change(op Op) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return syscall.EIO
	}
	d := s.disk
	from := site(op.Kind)
	if d.Fail != nil {
		if err := d.Fail(op, from); err != nil {
			if op.Kind == Write {
				op.Data = op.Data[:len(op.Data)/2]
				d.record(op, from)
			}
			return err
		}
	}
	d.record(op, from)
	if s.left--; s.left == 0 {
		s.dead = true
	}
	return nil
}

func (d *Disk) record(op Op, from string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch op.Kind {
	case Write:
		op.Data = slices.Clone(op.Data)
		d.Bytes += int64(len(op.Data))
	case Sync, SyncDir:
		d.Syncs++
		d.sites[from]++
		if d.SkipSync != nil && d.SkipSync(from) {
			return
		}
	default:
	}
	d.do(op)
}

// site returns the name of the function that wants something synced.
func site(kind Kind) string {
	if kind != Sync && kind != SyncDir {
		return ""
	}
	var pcs [12]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		name := f.Function[strings.LastIndexByte(f.Function, '.')+1:]
		switch {
		case !more:
			return "unknown"
		case strings.Contains(f.Function, "cutdisk"), name == "sync", name == "syncDir", name == "replace", name == "build":
		case kind == Sync:
			return name + ":file"
		default:
			return name + ":dir"
		}
	}
}

// MkdirAll makes a directory. Its name lasts when the directory above is synced.
func (s *Session) MkdirAll(dir string) error {
	if s.disk.hasDir(dir) {
		return nil
	}
	return s.change(Op{Kind: Mkdir, Name: dir})
}

func (d *Disk) hasDir(dir string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.image.dirs[dir]
}

func (d *Disk) lookup(name string) (file int, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	file, ok = d.image.names[name]
	return file, ok
}

// List returns the names in dir.
func (s *Session) List(dir string) ([]string, error) {
	if !s.disk.hasDir(dir) {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist}
	}
	var names []string
	for _, name := range s.disk.Names() {
		if dirOf(name) == dir {
			names = append(names, filepath.Base(name))
		}
	}
	return names, nil
}

// Open opens a file.
func (s *Session) Open(name string) (vfs.File, error) { return s.open(name) }

// Edit opens a file.
func (s *Session) Edit(name string) (vfs.File, error) { return s.open(name) }

func (s *Session) open(name string) (vfs.File, error) {
	file, ok := s.disk.lookup(name)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &handle{session: s, file: file}, nil
}

// Create makes or empties a file.
func (s *Session) Create(name string) (vfs.File, error) {
	if file, ok := s.disk.lookup(name); ok {
		return &handle{session: s, file: file}, s.change(Op{Kind: Truncate, File: file})
	}
	s.disk.mu.Lock()
	s.disk.last++
	file := s.disk.last
	s.disk.mu.Unlock()
	return &handle{session: s, file: file}, s.change(Op{Kind: Create, File: file, Name: name})
}

// Rename renames a file.
func (s *Session) Rename(from, to string) error {
	file, ok := s.disk.lookup(from)
	if !ok {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	return s.change(Op{Kind: Rename, File: file, Name: from, To: to})
}

// Remove removes a file.
func (s *Session) Remove(name string) error {
	file, ok := s.disk.lookup(name)
	if !ok {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	return s.change(Op{Kind: Remove, File: file, Name: name})
}

// SyncDir syncs the names in dir.
func (s *Session) SyncDir(dir string) error { return s.change(Op{Kind: SyncDir, Name: dir}) }

// Lock locks the directory for the session.
func (s *Session) Lock(string) (io.Closer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock {
		return nil, vfs.ErrLocked
	}
	s.lock = true
	return unlocker{s}, nil
}

type unlocker struct{ s *Session }

func (u unlocker) Close() error {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	u.s.lock = false
	return nil
}

// handle is an open file.
type handle struct {
	session *Session
	file    int
}

func (h *handle) ReadAt(b []byte, off int64) (int, error) {
	d := h.session.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	data := d.image.files[h.file]
	if off >= int64(len(data)) {
		return 0, io.EOF
	}
	n := copy(b, data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (h *handle) WriteAt(b []byte, off int64) (int, error) {
	if err := h.session.change(Op{Kind: Write, File: h.file, Off: off, Data: b}); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (h *handle) Truncate(size int64) error {
	return h.session.change(Op{Kind: Truncate, File: h.file, Off: size})
}

func (h *handle) Sync() error { return h.session.change(Op{Kind: Sync, File: h.file}) }

func (h *handle) Size() (int64, error) {
	h.session.disk.mu.Lock()
	defer h.session.disk.mu.Unlock()
	return int64(len(h.session.disk.image.files[h.file])), nil
}

func (h *handle) Close() error { return nil }

func dirOf(name string) string { return filepath.Dir(name) }
