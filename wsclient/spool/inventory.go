package spool

import (
	"errors"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// corruptSuffix is added to the name of a segment file whose header is lost.
const corruptSuffix = ".corrupt"

// inventory is what is in a directory, before it is judged record by record.
type inventory struct {
	cursor    cursor
	state     cursorState
	segs      []*segment // those with a header, oldest first; end is the size of the file
	scarred   []*segment // those of them whose header is damaged and readable
	stillborn []*segment // the last one, if it was being created
	headless  []*segment // those without a readable header
	temps     []string
}

// survey takes the inventory of dir without changing anything.
func survey(fsys vfs.FS, dir string) (inventory, error) {
	var list inventory
	var err error
	if list.cursor, list.state, err = loadCursor(fsys, dir); err != nil {
		return list, err
	}
	names, err := fsys.List(dir)
	if err != nil {
		return list, err
	}
	slices.Sort(names)
	for _, name := range names {
		if strings.HasSuffix(name, tempSuffix) {
			list.temps = append(list.temps, name)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		_, ok := parseSegName(name)
		return !ok
	})
	for i, name := range names {
		if err := list.look(fsys, dir, name, i == len(names)-1); err != nil {
			return list, err
		}
	}
	// If a program uses the directory, segments may have gone meanwhile; the cursor was ahead of them then.
	if c, state, err := loadCursor(fsys, dir); err == nil && state == cursorGood && list.state == cursorGood {
		list.cursor.head = c.head
	}
	return list, nil
}

// look opens one segment file and files it.
func (l *inventory) look(fsys vfs.FS, dir, name string, last bool) error {
	base, _ := parseSegName(name)
	seg := &segment{name: filepath.Join(dir, name), base: base}
	header, size, err := readHeader(fsys, seg.name)
	if isMissing(err) {
		return nil // deleted by its owner meanwhile
	}
	if err != nil {
		return err
	}
	seed, state := parseHeader(header, base)
	seg.seed, seg.end = seed, size
	switch {
	case state != headerGood && last && size <= dataStart && l.cursor.safe < base:
		l.stillborn = append(l.stillborn, seg)
	case state != headerBad:
		l.segs = append(l.segs, seg)
		if state == headerScarred {
			l.scarred = append(l.scarred, seg)
		}
	default:
		l.headless = append(l.headless, seg)
	}
	return nil
}

// readHeader reads the start of a segment file, and its size. A start that cannot be read is no header.
func readHeader(fsys vfs.FS, name string) ([]byte, int64, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, 0, err
	}
	b := make([]byte, dataStart)
	n := 0
	for range readAttempts {
		if n, err = f.ReadAt(b, 0); err == nil || errors.Is(err, io.EOF) {
			return b[:n], size, nil
		}
	}
	return nil, max(size, dataStart+1), nil
}

// cursorLost reports whether there should be a good cursor and is none.
func (l *inventory) cursorLost() bool {
	return l.state == cursorDamaged || (l.state == cursorMissing && len(l.segs)+len(l.headless) > 0)
}

// head returns the number of the oldest record.
func (l *inventory) head() uint64 {
	if l.state == cursorGood {
		return l.cursor.head
	}
	head := uint64(math.MaxUint64)
	for _, segs := range [][]*segment{l.segs, l.headless} {
		if len(segs) > 0 {
			head = min(head, segs[0].base)
		}
	}
	if head == math.MaxUint64 {
		return 1
	}
	return head
}
