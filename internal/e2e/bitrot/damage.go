package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// damage is something that is done n times, each time to a fresh copy.
type damage struct {
	name string
	n    int
	pick func(files []file, rng *rand.Rand) spot
}

// file is one of the files of a store.
type file struct {
	name string
	data []byte
}

// spot is one place of damage: a bit that is flipped, or the length to which a file is cut.
type spot struct {
	kind string // "flip" or "cut"
	file int
	at   int
	bit  int
}

func (s spot) String() string { return fmt.Sprintf("%s %d %d %d", s.kind, s.file, s.at, s.bit) }

func parseSpot(text string) (s spot, err error) {
	_, err = fmt.Sscan(text, &s.kind, &s.file, &s.at, &s.bit)
	return s, err
}

// flip picks a bit of all that the files hold.
func flip(files []file, rng *rand.Rand) spot {
	total := 0
	for _, f := range files {
		total += len(f.data)
	}
	at := rng.IntN(total)
	for i, f := range files {
		if at < len(f.data) {
			return spot{"flip", i, at, rng.IntN(8)}
		}
		at -= len(f.data)
	}
	panic("unreachable")
}

// cut picks a file and its new length.
func cut(files []file, rng *rand.Rand) spot {
	i := rng.IntN(len(files))
	return spot{kind: "cut", file: i, at: rng.IntN(len(files[i].data))}
}

// write puts a damaged copy of the files into dir, which is emptied before.
func write(dir string, files []file, s spot) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		return err
	}
	for i, f := range files {
		data := f.data
		switch {
		case i != s.file:
		case s.kind == "cut":
			data = data[:s.at]
		default:
			data = append([]byte(nil), data...)
			data[s.at] ^= 1 << s.bit
		}
		if err := os.WriteFile(filepath.Join(dir, f.name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// load reads the files in dir that hold something.
func load(dir string) ([]file, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if len(data) > 0 {
			files = append(files, file{e.Name(), data})
		}
	}
	return files, nil
}
