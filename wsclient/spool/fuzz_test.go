package spool_test

import (
	"bytes"
	"hash/fnv"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// FuzzSegment decodes any bytes as a segment: no panic, an end, and only records whose checksum fits. Bytes that are
// changed in a segment cost the records that they hit and no other.
func FuzzSegment(f *testing.F) {
	whole := spool.BuildSegment(7, 99, []byte("one"), nil, bytes.Repeat([]byte("three"), 50), []byte("four"))
	f.Add(whole, uint16(600), byte(1))
	f.Add(whole[:700], uint16(560), byte(128))
	f.Add([]byte("flspool1"), uint16(0), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, off uint16, flip byte) {
		recs, steps := spool.WalkSegment(b, 7)
		check(t, recs, steps, len(b))
		salt := fnv.New64a() // nobody knows the salt of a file: no payload can hold frames of the one that it is in
		_, _ = salt.Write(b)
		built := spool.BuildSegment(7, salt.Sum64(), b, []byte("second"), b, []byte("fourth"))
		if int(off) < len(built) {
			built[off] ^= flip
		}
		recs, steps = spool.WalkSegment(built, 7)
		check(t, recs, steps, len(built))
		if len(recs) < 3 {
			t.Errorf("one changed byte cost %d records of 4", 4-len(recs))
		}
		for _, r := range recs {
			want := b
			if r.Seq%2 == 0 {
				want = map[uint64][]byte{8: []byte("second"), 10: []byte("fourth")}[r.Seq]
			}
			if !bytes.Equal(r.Payload, want) {
				t.Errorf("record %d is %q", r.Seq, r.Payload)
			}
		}
	})
}

func check(t *testing.T, recs []spool.Record, steps, size int) {
	t.Helper()
	if steps > size+2 {
		t.Errorf("%d steps for %d bytes", steps, size)
	}
	for i := 1; i < len(recs); i++ {
		if recs[i].Seq <= recs[i-1].Seq {
			t.Errorf("record %d behind %d", recs[i].Seq, recs[i-1].Seq)
		}
	}
}
