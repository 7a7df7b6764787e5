package diskstore

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"

	"github.com/fieldlink-go/fieldlink/smok/store"
)

// A blob's file begins with a head: a mark, a CRC-32C of the rest of the head, the length of the key, version, size and
// SHA-256 of the content, and the key. Numbers are big-endian. The content follows. So a file is complete in itself, and
// content and version change together.

const (
	blobMark = "flblob 1"
	blobHead = 8 + 4 + 4 + 8 + 8 + sha256.Size
)

// blobSuffix is that of a blob's file. What is before it is a hash of the key: a key may hold anything.
const blobSuffix = ".blob"

func blobName(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:20]) + blobSuffix
}

func formatHead(b store.Blob) []byte {
	head := append(make([]byte, 0, blobHead+len(b.Key)), blobMark...)
	head = binary.BigEndian.AppendUint32(head, 0)
	head = binary.BigEndian.AppendUint32(head, uint32(len(b.Key)))
	head = binary.BigEndian.AppendUint64(head, uint64(b.Version))
	head = binary.BigEndian.AppendUint64(head, uint64(b.Size))
	head = append(append(head, b.SHA256[:]...), b.Key...)
	binary.BigEndian.PutUint32(head[8:], crc32.Checksum(head[12:], castagnoli))
	return head
}

var errBlobHead = errors.New("the head is damaged")

// readHead reads the head of a file. Damage is errBlobHead.
func readHead(r io.ReaderAt) (store.Blob, error) {
	head := make([]byte, blobHead)
	if _, err := r.ReadAt(head, 0); err != nil {
		return store.Blob{}, headError(err)
	}
	n := binary.BigEndian.Uint32(head[12:])
	if string(head[:8]) != blobMark || n > store.MaxKey {
		return store.Blob{}, errBlobHead
	}
	key := make([]byte, n)
	if _, err := r.ReadAt(key, blobHead); err != nil {
		return store.Blob{}, headError(err)
	}
	sum := crc32.Update(crc32.Checksum(head[12:], castagnoli), castagnoli, key)
	if sum != binary.BigEndian.Uint32(head[8:]) {
		return store.Blob{}, errBlobHead
	}
	return store.Blob{
		Key:     string(key),
		Version: int64(binary.BigEndian.Uint64(head[16:])),
		Size:    int64(binary.BigEndian.Uint64(head[24:])),
		SHA256:  [sha256.Size]byte(head[32:]),
	}, nil
}

// headError takes the end of the file within the head for damage.
func headError(err error) error {
	if errors.Is(err, io.EOF) {
		return errBlobHead
	}
	return err
}
