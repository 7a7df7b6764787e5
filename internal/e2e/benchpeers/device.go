package main

import (
	"context"

	smokstore "github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/diskstore"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// deviceStore archives values in the store of a smok device, batch by batch.
type deviceStore struct {
	s     *smokstore.Store
	batch []spool.Entry
}

func openDevice(dir string, batch int) (store, error) {
	s, err := diskstore.Open(dir, &diskstore.Options{MaxValues: 1 << 40})
	if err != nil {
		return nil, err
	}
	d := &deviceStore{s: s, batch: make([]spool.Entry, batch)}
	for i := range d.batch {
		d.batch[i].Payload = make([]byte, recordSize)
	}
	return d, nil
}

func (d *deviceStore) accept(n int) error {
	for range n / len(d.batch) {
		if _, err := d.s.Permanent.AppendBatch(context.Background(), d.batch); err != nil {
			return err
		}
	}
	return nil
}

func (d *deviceStore) close() error { return d.s.Close() }

// sharedDevice has several callers at once that archive one value at a time. The store makes groups of them.
type sharedDevice struct{ deviceStore }

func openSharedDevice(dir string, callers int) (store, error) {
	d, err := openDevice(dir, callers)
	if err != nil {
		return nil, err
	}
	return &sharedDevice{*d.(*deviceStore)}, nil
}

func (d *sharedDevice) accept(n int) error {
	return atOnce(len(d.batch), n, func() error {
		_, err := d.s.Permanent.Append(context.Background(), d.batch[0])
		return err
	})
}
