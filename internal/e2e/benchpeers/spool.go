package main

import (
	"context"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// spoolStore appends batches.
type spoolStore struct {
	s     *spool.Spool
	batch []spool.Entry
}

func openSpool(dir string, batch int) (store, error) {
	s, err := spool.Open(dir, &spool.Options{MaxBytes: -1})
	if err != nil {
		return nil, err
	}
	st := &spoolStore{s: s, batch: make([]spool.Entry, batch)}
	for i := range st.batch {
		st.batch[i].Payload = make([]byte, recordSize)
	}
	return st, nil
}

func (s *spoolStore) accept(n int) error {
	for range n / len(s.batch) {
		if _, err := s.s.AppendBatch(context.Background(), s.batch); err != nil {
			return err
		}
	}
	return nil
}

func (s *spoolStore) close() error { return s.s.Close() }

// sharedSpool has several callers at once that append one record at a time. The log makes groups of them.
type sharedSpool struct{ spoolStore }

func openShared(dir string, callers int) (store, error) {
	s, err := openSpool(dir, callers)
	if err != nil {
		return nil, err
	}
	return &sharedSpool{*s.(*spoolStore)}, nil
}

func (s *sharedSpool) accept(n int) error {
	return atOnce(len(s.batch), n, func() error {
		_, err := s.s.Append(context.Background(), s.batch[0])
		return err
	})
}
