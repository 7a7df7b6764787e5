package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzDecodeChanges(f *testing.F) {
	f.Add(encodeChanges([]change{
		{Edit: Edit{Key: "key", Value: []byte("value")}, ordinal: 7}, {Edit: Edit{Key: "gone", Delete: true}},
	}))
	f.Add([]byte{tableVersion, opPut, 1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := decodeChanges(b)
		if err != nil {
			return
		}
		again, err := decodeChanges(encodeChanges(list))
		if d := cmp.Diff(list, again, cmp.AllowUnexported(change{})); d != "" || err != nil {
			t.Errorf("-decoded +encoded and decoded: %v\n%s", err, d)
		}
	})
}
