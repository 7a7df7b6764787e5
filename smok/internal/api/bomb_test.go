package api_test

import (
	"compress/gzip"
	"net/http"
)

// gzipBomb answers with a few kilobytes that unpack to 16 MB.
func gzipBomb(w http.ResponseWriter) {
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("Content-Type", "application/json")
	z := gzip.NewWriter(w)
	spaces := make([]byte, 1<<20)
	for i := range spaces {
		spaces[i] = ' '
	}
	for range 16 {
		_, _ = z.Write(spaces)
	}
	_ = z.Close()
}
