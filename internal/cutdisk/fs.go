package cutdisk

import (
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
)

// recorder is the file system of a [Disk]: it records what programs do, in the operations that the operating system
// would see.
type recorder struct {
	disk   *Disk
	locked bool
}

// MkdirAll makes a directory and those above it.
func (r *recorder) MkdirAll(dir string) error {
	if r.disk.hasDir(dir) {
		return nil
	}
	if err := r.MkdirAll(dirOf(dir)); err != nil {
		return err
	}
	r.disk.record(Op{Kind: Mkdir, Name: dir}, "")
	return nil
}

// List returns the names in dir.
func (r *recorder) List(dir string) ([]string, error) {
	if !r.disk.hasDir(dir) {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist}
	}
	var names []string
	for _, name := range r.disk.Names() {
		if dirOf(name) == dir {
			names = append(names, filepath.Base(name))
		}
	}
	return names, nil
}

// Open opens a file.
func (r *recorder) Open(name string) (File, error) { return r.open(name) }

// Edit opens a file.
func (r *recorder) Edit(name string) (File, error) { return r.open(name) }

func (r *recorder) open(name string) (File, error) {
	file, ok := r.disk.lookup(name)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &handle{disk: r.disk, file: file}, nil
}

// Create makes or empties a file.
func (r *recorder) Create(name string) (File, error) {
	file, ok := r.disk.lookup(name)
	if ok {
		r.disk.record(Op{Kind: Truncate, File: file}, "")
		return &handle{disk: r.disk, file: file}, nil
	}
	return &handle{disk: r.disk, file: r.create(name)}, nil
}

func (r *recorder) create(name string) (file int) {
	r.disk.mu.Lock()
	r.disk.last++
	file = r.disk.last
	r.disk.mu.Unlock()
	r.disk.record(Op{Kind: Create, File: file, Name: name}, "")
	return file
}

// Rename renames a file.
func (r *recorder) Rename(from, to string) error {
	file, ok := r.disk.lookup(from)
	if !ok {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	r.disk.record(Op{Kind: Rename, File: file, Name: from, To: to}, "")
	return nil
}

// Remove removes a file.
func (r *recorder) Remove(name string) error {
	file, ok := r.disk.lookup(name)
	if !ok {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	r.disk.record(Op{Kind: Remove, File: file, Name: name}, "")
	return nil
}

// SyncDir syncs the names in dir.
func (r *recorder) SyncDir(dir string) error {
	r.disk.record(Op{Kind: SyncDir, Name: dir}, site(SyncDir))
	return nil
}

// Lock makes the file if need be and locks it. The locks of another session are another process's, which is dead.
func (r *recorder) Lock(name string) (io.Closer, error) {
	if r.locked {
		return nil, ErrLocked
	}
	if _, ok := r.disk.lookup(name); !ok {
		r.create(name)
	}
	r.locked = true
	return unlocker{r}, nil
}

type unlocker struct{ r *recorder }

func (u unlocker) Close() error {
	u.r.locked = false
	return nil
}

// handle is an open file.
type handle struct {
	disk *Disk
	file int
}

func (h *handle) ReadAt(b []byte, off int64) (int, error) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	data := h.disk.image.files[h.file]
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
	h.disk.record(Op{Kind: Write, File: h.file, Off: off, Data: b}, "")
	return len(b), nil
}

func (h *handle) Truncate(size int64) error {
	h.disk.record(Op{Kind: Truncate, File: h.file, Off: size}, "")
	return nil
}

func (h *handle) Sync() error {
	h.disk.record(Op{Kind: Sync, File: h.file}, site(Sync))
	return nil
}

func (h *handle) Size() (int64, error) {
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	return int64(len(h.disk.image.files[h.file])), nil
}

func (h *handle) Close() error { return nil }

// site returns the name of the function that wants something synced, "" for other operations.
func site(kind Kind) string {
	if kind != Sync && kind != SyncDir {
		return ""
	}
	var pcs [16]uintptr
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
