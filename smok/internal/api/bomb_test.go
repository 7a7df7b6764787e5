package api_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"sync"
)

// bomb is a kilobyte that unpacks to a megabyte.
var bomb = sync.OnceValue(func() []byte {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 1<<20))
	_ = z.Close()
	return packed.Bytes()
})

func gzipBomb(w http.ResponseWriter) {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(bomb())
}
