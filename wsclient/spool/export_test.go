package spool

import (
	"bytes"
	"context"
	"math/rand/v2"

	"github.com/fieldlink-go/fieldlink/wsclient/spool/internal/vfs"
)

// OpenOn is Open on a file system of the test, with salts that follow from seed.
func OpenOn(fsys vfs.FS, seed uint64, dir string, opts *Options) (*Spool, error) {
	return openOn(fsys, salts(seed), dir, opts)
}

// VerifyOn is Verify on a file system of the test.
func VerifyOn(ctx context.Context, fsys vfs.FS, dir string) (*Health, error) {
	return verifyOn(ctx, fsys, dir)
}

// RepairOn is Repair on a file system of the test.
func RepairOn(ctx context.Context, fsys vfs.FS, seed uint64, dir string, onReport func(Report)) (*Health, error) {
	return repairOn(ctx, fsys, salts(seed), dir, onReport)
}

func salts(seed uint64) func() uint64 { return rand.New(rand.NewPCG(seed, 2)).Uint64 }

// WalkSegment decodes the bytes of a segment file and returns the records in it.
func WalkSegment(b []byte, base uint64) (recs []Record, steps int) {
	seed, state := parseHeader(b, base)
	if state == headerBad {
		return nil, 0
	}
	w := walker{
		src: bytes.NewReader(b), seed: seed, off: dataStart, limit: int64(len(b)), next: base, keep: true,
	}
	for {
		it, err := w.step()
		steps++
		if err != nil || it.kind == itemEnd {
			return recs, steps
		}
		if it.kind == itemRecord {
			recs = append(recs, Record{Seq: it.first, Tag: stampTag(it.frame.stamp), Payload: it.frame.body})
		}
	}
}

// BuildSegment encodes a segment file.
func BuildSegment(base, salt uint64, payloads ...[]byte) []byte {
	b := newHeader(base, salt)
	seed, _ := parseHeader(b, base)
	for i, p := range payloads {
		b = appendFrame(b, seed, frame{seq: base + uint64(i), body: p})
	}
	return b
}

// Queued returns how many appends wait for their turn.
func (s *Spool) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}
