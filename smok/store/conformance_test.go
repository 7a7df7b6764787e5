package store_test

import (
	"testing"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/smok/store"
	"github.com/fieldlink-go/fieldlink/smok/store/storetest"
	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestLogConformance(t *testing.T) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		storetest.Log(t, func(*testing.T) storetest.Open[store.Log] {
			return func() (store.Log, error) { return store.NewLog(nil), nil }
		}, false)
	})
	t.Run("spool", func(t *testing.T) {
		t.Parallel()
		storetest.Log(t, func(t *testing.T) storetest.Open[store.Log] {
			dir := t.TempDir()
			return func() (store.Log, error) { return spool.Open(dir, nil) }
		}, true)
	})
	for name, pick := range map[string]func(*store.Store) store.Log{
		"trend":     func(s *store.Store) store.Log { return s.Trend },
		"permanent": func(s *store.Store) store.Log { return s.Permanent },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Log(t, func(*testing.T) storetest.Open[store.Log] {
				return func() (store.Log, error) { return pick(store.Memory(nil)), nil }
			}, false)
		})
	}
}

func TestKeyedConformance(t *testing.T) {
	t.Parallel()
	storetest.Keyed(t, func(*testing.T) storetest.Open[store.Keyed] {
		return func() (store.Keyed, error) { return store.NewKeyed(), nil }
	}, false)
}

func TestBlobsConformance(t *testing.T) {
	t.Parallel()
	storetest.Blobs(t, func(*testing.T) storetest.Open[store.Blobs] {
		return func() (store.Blobs, error) { return store.NewBlobs(storetest.MaxBlob, storetest.MaxBlobs), nil }
	}, false)
}
