package engineio_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// TestCompressorsAreUsedAgain: what is needed to compress an answer is not made anew for each. It allocates most of a
// megabyte otherwise, 830,000 bytes. Some are made anew all the same: pools are emptied, with the race detector at random. The test
// must not run beside others.
func TestCompressorsAreUsedAgain(t *testing.T) {
	srv, err := engineio.NewServer(&engineio.ServerOptions{InitialPacket: engineio.Text(strings.Repeat("long ", 1000))})
	if err != nil {
		t.Fatal(err)
	}
	for _, encoding := range []string{"gzip", "deflate"} {
		const answers, most = 100, 600 << 10 // bytes for each
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range answers {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/engine.io/?EIO=4&transport=polling", nil)
			r.Header.Set("Accept-Encoding", encoding)
			w := httptest.NewRecorder()
			srv.ServeHTTP(w, r)
			if got := w.Header().Get("Content-Encoding"); w.Code != http.StatusOK || got != encoding {
				t.Fatalf("status %d, encoding %q, want %q", w.Code, got, encoding)
			}
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / answers; each > most {
			t.Errorf("%s: %d bytes for each answer, want %d at most", encoding, each, most)
		} else {
			t.Log(encoding, each, "bytes for each answer")
		}
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
}
