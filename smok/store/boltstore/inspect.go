package boltstore

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/fieldlink-go/fieldlink/smok/store/boltstore/internal/pages"
)

// pageSize is that of the database. It is fixed, so that a file means the same on every machine of one byte order.
const pageSize = 4096

const bucketName = "entries"

// state is what was found in a file that can be opened.
type state struct {
	bad       [][]byte // keys of the entries that are damaged
	badTotals bool     // the totals are damaged
	headLost  bool     // one of the file's heads is damaged: the last change may be missing
}

// errNewer is the cause of the error for a file that a newer version wrote.
var errNewer = errors.New("written by a newer version")

// inspect reads a file and says what is wrong with it. If too much is, that is an error that matches [pages.ErrDamaged].
func inspect(name string) (state, error) {
	var st state
	f, err := os.Open(name)
	if err != nil {
		return st, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return st, err
	}
	var sound, all, want totals
	known, newer := false, false
	head, err := pages.Walk(f, info.Size(), pageSize, bucketName, func(key, stored []byte) error {
		if bytes.Equal(key, totalsKey) {
			t, version, ok := unsealTotals(stored)
			want, known, newer, st.badTotals = t, true, ok && version != totalsVersion, !ok
			if newer {
				return fmt.Errorf("%w: version %d", errNewer, version)
			}
			return nil
		}
		all.add(key, stored)
		if _, ok := unseal(key, stored); ok {
			sound.add(key, stored)
		} else {
			st.bad = append(st.bad, key)
		}
		return nil
	})
	st.headLost = head.Lost
	switch {
	case err != nil:
		return st, err
	case !known:
		return st, fmt.Errorf("%w: no totals", pages.ErrDamaged)
	case st.badTotals && len(st.bad) > 0:
		return st, fmt.Errorf("%w: totals and %d entries", pages.ErrDamaged, len(st.bad))
	case !st.badTotals && all != want:
		return st, fmt.Errorf("%w: %d entries, %d are missing or others", pages.ErrDamaged, all.count, want.count)
	}
	return st, nil
}
