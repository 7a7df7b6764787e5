package cutdisk

import (
	"sync"
	"syscall"
)

// Session is a file system as one process has it: it can be killed, and its operations can fail. What is done to it
// goes to another file system.
type Session struct {
	FS

	// Fail, if not nil, is asked before every operation, a sync with the name of the function that wants it. What it
	// returns is the operation's failure; a write has then written the first half. It is set before use.
	Fail func(op Op, site string) error

	mu   sync.Mutex
	dead bool
	left int // operations until the session is killed; 0 means any number
}

// NewSession returns a session on fsys.
func NewSession(fsys FS) *Session { return &Session{FS: fsys} }

// Session returns a session on the disk.
func (d *Disk) Session() *Session { return NewSession(&recorder{disk: d}) }

// Kill ends the process: nothing that it does from now on has an effect, except that it can close what is open.
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

// change does op, with do, unless the session is dead or the test wants op to fail. do gets the data to write.
func (s *Session) change(op Op, do func(data []byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return syscall.EIO
	}
	if s.Fail != nil {
		if err := s.Fail(op, site(op.Kind)); err != nil {
			if op.Kind == Write {
				_ = do(op.Data[:len(op.Data)/2]) // err counts
			}
			return err
		}
	}
	if s.left--; s.left == 0 {
		s.dead = true
	}
	return do(op.Data)
}

// MkdirAll makes a directory and those above it.
func (s *Session) MkdirAll(dir string) error {
	return s.change(Op{Kind: Mkdir, Name: dir}, func([]byte) error { return s.FS.MkdirAll(dir) })
}

// Edit opens a file for reading and writing.
func (s *Session) Edit(name string) (File, error) {
	f, err := s.FS.Edit(name)
	if err != nil {
		return nil, err
	}
	return &file{File: f, session: s}, nil
}

// Create makes or empties a file.
func (s *Session) Create(name string) (File, error) {
	var f File
	err := s.change(Op{Kind: Create, Name: name}, func([]byte) (err error) {
		f, err = s.FS.Create(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &file{File: f, session: s}, nil
}

// Rename renames a file.
func (s *Session) Rename(from, to string) error {
	return s.change(Op{Kind: Rename, Name: from, To: to}, func([]byte) error { return s.FS.Rename(from, to) })
}

// Remove removes a file.
func (s *Session) Remove(name string) error {
	return s.change(Op{Kind: Remove, Name: name}, func([]byte) error { return s.FS.Remove(name) })
}

// SyncDir syncs the names in dir.
func (s *Session) SyncDir(dir string) error {
	return s.change(Op{Kind: SyncDir, Name: dir}, func([]byte) error { return s.FS.SyncDir(dir) })
}

// file is an open file of a session.
type file struct {
	File
	session *Session
}

func (f *file) WriteAt(b []byte, off int64) (n int, err error) {
	err = f.session.change(Op{Kind: Write, Off: off, Data: b}, func(data []byte) (err error) {
		n, err = f.File.WriteAt(data, off)
		return err
	})
	return n, err
}

func (f *file) Truncate(size int64) error {
	return f.session.change(Op{Kind: Truncate, Off: size}, func([]byte) error { return f.File.Truncate(size) })
}

func (f *file) Sync() error {
	return f.session.change(Op{Kind: Sync}, func([]byte) error { return f.File.Sync() })
}
