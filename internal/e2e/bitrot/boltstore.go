package main

import (
	"errors"
	"fmt"
	"path/filepath"

	smokstore "github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/boltstore"
)

// area is where the records are in a boltstore, under their numbers.
const area = "records"

func fillBoltstore(dir string) error {
	s, err := boltstore.Open(filepath.Join(dir, database), nil)
	if err != nil {
		return err
	}
	for id := 1; id <= records && err == nil; id++ {
		err = s.Apply(smokstore.Change{Area: area, Key: name(id), Value: []byte(payload(id))})
	}
	var gone []smokstore.Change
	for id := range removed {
		gone = append(gone, smokstore.Change{Area: area, Key: name(id + 1), Delete: true})
	}
	if err == nil {
		err = s.Apply(gone...)
	}
	return errors.Join(err, s.Close())
}

func name(id int) string { return fmt.Sprintf("%04d", id) }

func judgeBoltstore(dir string) (v verdict, lost int) {
	f := newFound()
	s, err := boltstore.Open(filepath.Join(dir, database), &boltstore.Options{OnReport: func(r smokstore.Report) {
		id := 0
		if _, err := fmt.Sscanf(r.Key, area+"/%d", &id); err == nil {
			f.told[id] = true
			return
		}
		f.excused = true // anything may be missing, or as it was before
		for id := range records {
			f.told[id+1] = true
		}
	}})
	if err != nil {
		return unopened, records - removed
	}
	defer s.Close()
	if err := s.Each(area, func(key string, value []byte) error {
		id := 0
		if _, err := fmt.Sscanf(key, "%d", &id); err != nil {
			id = 0 // of no record
		}
		f.record(id, string(value))
		return nil
	}); err != nil {
		f.failed = true
	}
	return f.verdict()
}
