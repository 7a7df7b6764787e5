package pikvm_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// imageServer is a device that swallows and hands out images as fast as net/http can.
func imageServer(tb testing.TB) *httptest.Server {
	tb.Helper()
	zero := make([]byte, 128<<10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/msd/write":
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r.Body, make([]byte, 128<<10))
			if err != nil || n != r.ContentLength {
				tb.Errorf("%d of %d bytes: %v", n, r.ContentLength, err)
			}
			reply(w, http.StatusOK, fmt.Sprintf(`{"ok": true, "result": {"image": {"name": "a", "size": %d, "written": %d}}}`, n, n))
		case "/api/msd/read":
			size, err := strconv.ParseInt(r.URL.Query().Get("image"), 10, 64)
			if err != nil {
				tb.Error(err)
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
			for ; size > 0; size -= int64(len(zero)) {
				if _, err := w.Write(zero[:min(size, int64(len(zero)))]); err != nil {
					return
				}
			}
		}
	}))
	tb.Cleanup(server.Close)
	return server
}

// transfers are the four ways to move an image of a size: with the client and with net/http alone.
type transfers struct {
	client *pikvm.Client
	http   *http.Client
	url    string
}

func newTransfers(tb testing.TB) *transfers {
	tb.Helper()
	server := imageServer(tb)
	client, err := pikvm.New(server.URL, nil)
	if err != nil {
		tb.Fatal(err)
	}
	transport := new(http.Transport)
	tb.Cleanup(func() {
		_ = client.Close()
		transport.CloseIdleConnections()
	})
	return &transfers{client, &http.Client{Transport: transport}, server.URL}
}

func (x *transfers) upload(ctx context.Context, size int64) error {
	_, err := x.client.MSD.Upload(ctx, "a", bare(io.LimitReader(zeros{}, size)), size, &pikvm.UploadOptions{
		DisableCheck: true, ListTimeout: -1, Progress: func(int64, int64) {},
	})
	return err
}

func (x *transfers) bareUpload(ctx context.Context, size int64) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url+"/api/msd/write?image=a", bare(io.LimitReader(zeros{}, size)))
	if err != nil {
		return err
	}
	r.ContentLength = size
	response, err := x.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func (x *transfers) download(ctx context.Context, size int64) error {
	got, err := x.client.MSD.Download(ctx, strconv.FormatInt(size, 10), sink{}, &pikvm.DownloadOptions{Progress: func(int64, int64) {}})
	if err == nil && got.Size != size {
		err = fmt.Errorf("%d bytes, want %d", got.Size, size)
	}
	return err
}

func (x *transfers) bareDownload(ctx context.Context, size int64) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, x.url+"/api/msd/read?image="+strconv.FormatInt(size, 10), nil)
	if err != nil {
		return err
	}
	response, err := x.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(sink{}, response.Body)
	return err
}

// sink swallows what is written to it, and has no shortcut for copies, as a file on disk has none for a body.
type sink struct{}

func (sink) Write(p []byte) (int, error) { return len(p), nil }

// TestTransferMemory checks that a large image takes no more memory than a small one.
func TestTransferMemory(t *testing.T) { // not in parallel: it counts what the whole process allocates
	x := newTransfers(t)
	for name, transfer := range map[string]func(context.Context, int64) error{"upload": x.upload, "download": x.download} {
		allocated := func(size int64) uint64 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := transfer(t.Context(), size); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			return after.TotalAlloc - before.TotalAlloc
		}
		allocated(1 << 20) // the connection
		small, large := allocated(1<<20), allocated(64<<20)
		if large > small+1<<20 {
			t.Errorf("%s: 64 MiB take %d bytes, 1 MiB take %d", name, large, small)
		}
	}
}

// BenchmarkTransfer measures uploads and downloads beside the same with net/http alone, in turns, and reports the ratio
// of their speeds: of the fastest of each, since what else runs on the machine only makes them slower. On a
// busy machine the ratio of the computing times, of client and server together, says more.
func BenchmarkTransfer(b *testing.B) {
	const size = 64 << 20
	x := newTransfers(b)
	for _, bench := range []struct {
		name      string
		ours, raw func(context.Context, int64) error
	}{{"upload", x.upload, x.bareUpload}, {"download", x.download, x.bareDownload}} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(2 * size)
			type cost struct{ best, cpu time.Duration }
			ours, raw := cost{best: time.Hour}, cost{best: time.Hour}
			clock := func(f func(context.Context, int64) error, c *cost) {
				begin, cpu := time.Now(), cpuTime()
				if err := f(b.Context(), size); err != nil {
					b.Fatal(err)
				}
				c.best, c.cpu = min(c.best, time.Since(begin)), c.cpu+cpuTime()-cpu
			}
			for i := 0; b.Loop(); i++ {
				if i%2 == 0 {
					clock(bench.ours, &ours)
					clock(bench.raw, &raw)
				} else {
					clock(bench.raw, &raw)
					clock(bench.ours, &ours)
				}
			}
			b.ReportMetric(float64(raw.best)/float64(ours.best), "of-net/http")
			if ours.cpu > 0 {
				b.ReportMetric(float64(raw.cpu)/float64(ours.cpu), "cpu-of-net/http")
			}
		})
	}
}

// BenchmarkTransferMemory shows that memory does not grow with the image.
func BenchmarkTransferMemory(b *testing.B) {
	x := newTransfers(b)
	for _, size := range []int64{1 << 20, 1 << 30} {
		for name, transfer := range map[string]func(context.Context, int64) error{"upload": x.upload, "download": x.download} {
			b.Run(fmt.Sprintf("%s/%dMiB", name, size>>20), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(size)
				for b.Loop() {
					if err := transfer(b.Context(), size); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
