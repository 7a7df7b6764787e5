package diskstore

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/fieldlink-go/fieldlink/smok/store"
)

func FuzzReadHead(f *testing.F) {
	f.Add(append(formatHead(store.Blob{Key: "key", Version: 7, Size: 4, SHA256: sha256.Sum256([]byte("text"))}), "text"...))
	f.Add([]byte(blobMark))
	f.Fuzz(func(t *testing.T, b []byte) {
		blob, err := readHead(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, errBlobHead) {
				t.Error(err)
			}
			return
		}
		if !bytes.HasPrefix(b, formatHead(blob)) {
			t.Errorf("%+v is written otherwise", blob)
		}
	})
}

func FuzzParseVersion(f *testing.F) {
	f.Add(formatVersion(1))
	f.Add([]byte("smok device store, version 1, checksum 00000000\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if version, ok := parseVersion(b); ok && !bytes.Equal(formatVersion(version), b) {
			t.Errorf("%q is version %d", b, version)
		}
	})
}
