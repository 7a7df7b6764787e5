package spool_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// BenchmarkAppend stores batches of 128-byte records, each batch synced, beside a bare file that gets the same bytes
// with one write and one sync.
func BenchmarkAppend(b *testing.B) {
	const size = 128
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("spool/%d", n), func(b *testing.B) {
			s := open(b, b.TempDir(), &spool.Options{MaxBytes: -1})
			batch := make([]spool.Entry, n)
			for i := range batch {
				batch[i].Payload = make([]byte, size)
			}
			b.ReportAllocs()
			b.SetBytes(int64(n * size))
			for b.Loop() {
				if _, err := s.AppendBatch(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("bare/%d", n), func(b *testing.B) {
			f, err := os.Create(filepath.Join(b.TempDir(), "log"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			data := make([]byte, n*size)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := f.Write(data); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkParallelAppend has 16 goroutines that each store one record at a time: they share syncs.
func BenchmarkParallelAppend(b *testing.B) {
	s := open(b, b.TempDir(), &spool.Options{MaxBytes: -1})
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		e := spool.Entry{Payload: make([]byte, 128)}
		for pb.Next() {
			if _, err := s.Append(context.Background(), e); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkThroughput moves records of 128 bytes through a log that syncs every 200 ms: appended, read and removed.
func BenchmarkThroughput(b *testing.B) {
	s := open(b, b.TempDir(), &spool.Options{Sync: spool.SyncEvery, MaxBytes: -1})
	batch := make([]spool.Entry, 256)
	for i := range batch {
		batch[i].Payload = make([]byte, 128)
	}
	b.ReportAllocs()
	b.SetBytes(128 * 256)
	for b.Loop() {
		if _, err := s.AppendBatch(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
		for left := len(batch); left > 0; {
			recs, err := s.Peek(left)
			if err != nil {
				b.Fatal(err)
			}
			left -= len(recs)
			if err := s.Remove(recs[len(recs)-1].Seq); err != nil {
				b.Fatal(err)
			}
		}
	}
}
