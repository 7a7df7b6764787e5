package cutdisk

import (
	"maps"
	"path/filepath"
	"slices"
	"sync"
)

// Root is the directory that is always there.
const Root = string(filepath.Separator)

// Disk is a disk in memory, with nothing on it but its root directory. It may be used by several goroutines.
type Disk struct {
	// SkipSync, if not nil, is asked before every sync with the name of the function that wants it, such as
	// "commit:file" or "create:dir". If it says yes, the sync does nothing and succeeds; it is recorded as [Missed]. It
	// is set before use.
	SkipSync func(site string) bool

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
	return image{dirs: map[string]bool{Root: true}, names: map[string]int{}, files: map[int][]byte{}}
}

// holds reports whether a path can be reached: whether the directories above it are there.
func (m image) holds(name string) bool {
	for name != Root {
		if name = dirOf(name); !m.dirs[name] {
			return false
		}
	}
	return true
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
	case Sync, SyncDir, Missed, Note:
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

// record counts and does op, which from wants.
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
			op.Kind = Missed
		}
	default:
	}
	d.do(op)
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

func dirOf(name string) string { return filepath.Dir(name) }
