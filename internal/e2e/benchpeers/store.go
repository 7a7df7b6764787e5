package main

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
)

// store is a durable store under test: what it accepted has been synced.
type store interface {
	// accept stores n records, in batches of the size that it was opened for.
	accept(n int) error
	close() error
}

// recordSize is the length of a record in bytes.
const recordSize = 128

// batches is a row in which one caller has n records accepted, so many at a time.
func batches(name string, batch, n int) row {
	return durable(name, n, map[string]float64{"bbolt": 1.5, "file": 0.8},
		storing("spool", batch, openSpool), storing("bbolt", batch, openBbolt), storing("file", batch, openFile))
}

// callers is a row in which several callers at once have n records accepted, one at a time; bbolt and file are as in
// batches of that size, which nobody had to gather.
func callers(name string, callers, n int) row {
	return durable(name, n, map[string]float64{"bbolt": 1.5}, storing("spool", callers, openShared),
		storing("DB.Batch", callers, openSharedBbolt), storing("bbolt", callers, openBbolt), storing("file", callers, openFile))
}

// archiving is a row in which a device's store archives values: one caller in batches of 100, and 100 callers at once, one
// value each, of the store and of a whole device with 100 pathpoints. bbolt and file get batches of 100.
func archiving(n int) row {
	return durable("archiving in a device's store, batches of 100", n, map[string]float64{"bbolt": 1.5, "file": 0.7},
		storing("diskstore", 100, openDevice), storing("100 callers", 100, openSharedDevice),
		storing("100 pathpoints", 100, openGateway),
		storing("bbolt", 100, openBbolt), storing("file", 100, openFile))
}

func durable(name string, n int, targets map[string]float64, list ...contender) row {
	return row{
		name: "durable, " + name + ", 128 B", contenders: list, n: n, things: "records",
		figure: perSecond, unit: "K rec/s", targets: targets,
	}
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

// atOnce calls do n times from so many goroutines.
func atOnce(callers, n int, do func() error) error {
	var left atomic.Int64
	left.Store(int64(n))
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for errs[i] == nil && left.Add(-1) >= 0 {
				errs[i] = do()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
