package main

import (
	"context"
	"errors"
	"sync"

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
	errs := make([]error, len(s.batch))
	var wg sync.WaitGroup
	for i, e := range s.batch {
		wg.Go(func() {
			for range n / len(s.batch) {
				if _, errs[i] = s.s.Append(context.Background(), e); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
