package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// The limits of the blobs that [Blobs] tests.
const (
	MaxBlob  = 100_000
	MaxBlobs = 250_000
)

// Blobs tests [store.Blobs]. place prepares new, empty ones for each test, with the limits [MaxBlob] and [MaxBlobs].
func Blobs(t *testing.T, place func(t *testing.T) Open[store.Blobs], durable bool) {
	t.Helper()
	run(t, place, durable, []row[store.Blobs]{
		{"content and version are there until they are deleted", false, blobsPut},
		{"any bytes are a key", false, blobsKeys},
		{"content and version change together", false, blobsReplace},
		{"a failed Put changes nothing", false, blobsFail},
		{"one blob and all together are bounded", false, blobsBounds},
		{"an open blob can be read to its end", false, blobsReadOn},
		{"wrong arguments change nothing", false, blobsInvalid},
		{"after Close everything is refused", false, blobsClosed},
		{"blobs last", true, blobsLast},
	})
}

func content(t *testing.T, b store.Blobs, key string) string {
	t.Helper()
	blob, r, err := b.Open(key)
	must(t, err)
	defer r.Close()
	text, err := io.ReadAll(r)
	must(t, err)
	same(t, "size", int64(len(text)), blob.Size)
	same(t, "checksum", sha256.Sum256(text), blob.SHA256)
	return string(text)
}

func keep(t *testing.T, b store.Blobs, key string, version int64, text string) {
	t.Helper()
	got, err := b.Put(t.Context(), key, version, strings.NewReader(text))
	must(t, err)
	same(t, "blob", store.Blob{Key: key, Version: version, Size: int64(len(text)), SHA256: sha256.Sum256([]byte(text))}, got)
}

func keys(b store.Blobs) []string {
	list := []string{}
	for blob := range b.All() {
		list = append(list, blob.Key)
	}
	return list
}

func blobsPut(t *testing.T, open Open[store.Blobs]) {
	b := start(t, open)
	_, err := b.Get("k")
	wants(t, "Get before", err, errkit.NotFound)
	_, _, err = b.Open("k")
	wants(t, "Open before", err, errkit.NotFound)
	keep(t, b, "k", 0, "content")
	keep(t, b, "a", 3, "")
	same(t, "content", "content", content(t, b, "k"))
	same(t, "empty content", "", content(t, b, "a"))
	same(t, "keys", []string{"a", "k"}, keys(b))
	must(t, b.Delete("k"))
	must(t, b.Delete("k"))
	_, err = b.Get("k")
	wants(t, "Get after", err, errkit.NotFound)
	same(t, "keys", []string{"a"}, keys(b))
}

func blobsKeys(t *testing.T, open Open[store.Blobs]) {
	b := start(t, open)
	for _, key := range []string{"../../etc/passwd", "/", ".", "a/b", "\x00", "\xff", "Key", "key", "con", strings.Repeat("x", store.MaxKey)} {
		keep(t, b, key, 1, "content of "+key)
		same(t, "content", "content of "+key, content(t, b, key))
	}
	same(t, "number", 10, len(keys(b)))
}

func blobsReplace(t *testing.T, open Open[store.Blobs]) {
	b := start(t, open)
	keep(t, b, "k", 1, "old")
	keep(t, b, "k", 2, "newer")
	keep(t, b, "k", 3, "newer")
	blob, err := b.Get("k")
	must(t, err)
	same(t, "version", 3, blob.Version)
	same(t, "content", "newer", content(t, b, "k"))
}

func blobsFail(t *testing.T, open Open[store.Blobs]) {
	b := start(t, open)
	keep(t, b, "k", 1, "old")
	boom := errors.New("boom")
	_, err := b.Put(t.Context(), "k", 2, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(boom)))
	if !errors.Is(err, boom) {
		t.Errorf("Put with a failing reader: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	endless := readerFunc(func(p []byte) (int, error) {
		cancel()
		return 1, nil
	})
	_, err = b.Put(ctx, "k", 2, endless)
	wants(t, "Put with a context that ends", err, errkit.Canceled)
	same(t, "content", "old", content(t, b, "k"))
	same(t, "keys", []string{"k"}, keys(b))
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func blobsBounds(t *testing.T, open Open[store.Blobs]) {
	b := start(t, open)
	full := bytes.Repeat([]byte{7}, MaxBlob)
	keep(t, b, "a", 1, string(full))
	keep(t, b, "b", 1, string(full))
	_, err := b.Put(t.Context(), "a", 2, bytes.NewReader(append(full, 7)))
	wants(t, "Put of one byte more", err, errkit.TooLarge)
	_, err = b.Put(t.Context(), "c", 1, bytes.NewReader(full))
	wants(t, "Put of a third one", err, errkit.Full)
	keep(t, b, "a", 2, string(full)) // takes the room of the old one
	must(t, b.Delete("b"))
	keep(t, b, "c", 1, string(full))
	same(t, "keys", []string{"a", "c"}, keys(b))
}

func blobsReadOn(t *testing.T, open Open[store.Blobs]) {
	b := start(t, open)
	text := strings.Repeat("0123456789", 8000)
	keep(t, b, "k", 1, text)
	_, r, err := b.Open("k")
	must(t, err)
	defer r.Close()
	head := make([]byte, 10)
	_, err = io.ReadFull(r, head)
	must(t, err)
	keep(t, b, "k", 2, strings.Repeat("abcdefghij", 8000))
	must(t, b.Delete("k"))
	rest, err := io.ReadAll(r)
	must(t, err)
	if string(head)+string(rest) != text {
		t.Error("the content changed while it was read")
	}
}

func blobsInvalid(t *testing.T, open Open[store.Blobs]) {
	b := start(t, open)
	for name, c := range map[string]struct {
		key     string
		version int64
	}{
		"no key": {"", 1}, "long key": {strings.Repeat("k", store.MaxKey+1), 1}, "negative version": {"k", -1},
	} {
		_, err := b.Put(t.Context(), c.key, c.version, strings.NewReader("x"))
		wants(t, name, err, errkit.Invalid)
	}
	same(t, "keys", []string{}, keys(b))
}

func blobsClosed(t *testing.T, open Open[store.Blobs]) {
	b := start(t, open)
	keep(t, b, "k", 1, "x")
	must(t, b.Close())
	must(t, b.Close())
	_, err := b.Put(t.Context(), "k", 1, strings.NewReader("x"))
	wants(t, "Put", err, errkit.Closed)
	_, err = b.Get("k")
	wants(t, "Get", err, errkit.Closed)
	_, _, err = b.Open("k")
	wants(t, "Open", err, errkit.Closed)
	wants(t, "Delete", b.Delete("k"), errkit.Closed)
}

func blobsLast(t *testing.T, open Open[store.Blobs]) {
	b := start(t, open)
	keep(t, b, "a", 1, "old")
	keep(t, b, "a", 2, "new")
	keep(t, b, "b", 5, "gone")
	keep(t, b, "c", 9, strings.Repeat("long", 10_000))
	must(t, b.Delete("b"))
	must(t, b.Close())
	b = start(t, open)
	same(t, "keys", []string{"a", "c"}, keys(b))
	blob, err := b.Get("a")
	must(t, err)
	same(t, "version", 2, blob.Version)
	same(t, "content", "new", content(t, b, "a"))
	same(t, "content", strings.Repeat("long", 10_000), content(t, b, "c"))
}
