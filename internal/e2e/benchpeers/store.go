package main

import (
	"errors"
	"os"
)

// store is a durable store under test: what it accepted has been synced.
type store interface {
	// accept stores n records, in batches of the size that it was opened for.
	accept(n int) error
	close() error
}

// recordSize is the length of a record in bytes.
const recordSize = 128

// durable is a row in which n records are accepted, so many at a time, by spool as open has it and by the others with
// one transaction or one write for each batch. file is the target for the ratio to a bare file; 0 means none.
func durable(name string, open func(dir string, batch int) (store, error), batch, n int, file float64) row {
	r := row{
		name: name, n: n, things: "records", figure: perSecond, unit: "K rec/s", targets: map[string]float64{"bbolt": 1.5},
		contenders: []contender{
			storing("spool", batch, open), storing("bbolt", batch, openBbolt), storing("file", batch, openFile),
		},
	}
	if file > 0 {
		r.targets["file"] = file
	}
	return r
}

// storing is a contender with one store for all turns, in a directory of its own.
func storing(name string, batch int, open func(dir string, batch int) (store, error)) contender {
	return contender{name: name, start: func() (func(int) (result, error), func() error, error) {
		dir, err := os.MkdirTemp("", "benchpeers-")
		if err != nil {
			return nil, nil, err
		}
		s, err := open(dir, batch)
		if err != nil {
			return nil, nil, errors.Join(err, os.RemoveAll(dir))
		}
		work := func(n int) (result, error) {
			meter := startMeter()
			if err := s.accept(n); err != nil {
				return result{}, err
			}
			return meter.stop(n), nil
		}
		return work, func() error { return errors.Join(s.close(), os.RemoveAll(dir)) }, nil
	}}
}
