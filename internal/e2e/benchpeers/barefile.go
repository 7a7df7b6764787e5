package main

import (
	"os"
	"path/filepath"
)

// fileStore writes each batch to the end of a file and syncs it: the least that can be done.
type fileStore struct {
	f    *os.File
	size int
	data []byte
}

func openFile(dir string, batch int) (store, error) {
	f, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	return &fileStore{f: f, size: batch, data: make([]byte, batch*recordSize)}, nil
}

func (s *fileStore) accept(n int) error {
	for range n / s.size {
		if _, err := s.f.Write(s.data); err != nil {
			return err
		}
		if err := s.f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

func (s *fileStore) close() error { return s.f.Close() }
