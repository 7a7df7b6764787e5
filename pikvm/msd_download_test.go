package pikvm_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestDownload checks what is written out, with its hash, and packed.
func TestDownload(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		const size = 300_000
		put(t, f, "a.img", size)
		sum := sha256.Sum256(pattern(size))
		var out bytes.Buffer
		var done []int64
		got, err := f.client.MSD.Download(t.Context(), "a.img", &out, &pikvm.DownloadOptions{
			Hash: sha256.New(),
			Progress: func(n, all int64) {
				if all != size {
					t.Errorf("size is %d", all)
				}
				done = append(done, n)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&pikvm.DownloadedImage{Size: size, Sum: sum[:]}, got); d != "" || !bytes.Equal(out.Bytes(), pattern(size)) {
			t.Errorf("download (-want +got):\n%s, %s", d, hex.EncodeToString(out.Bytes()[:16]))
		}
		if len(done) == 0 || done[len(done)-1] != size {
			t.Errorf("progress is %v", done)
		}
		out.Reset()
		got, err = f.client.MSD.Download(t.Context(), "a.img", &out, &pikvm.DownloadOptions{Compress: pikvm.CompressZstd})
		if err != nil || got.Sum != nil || got.Size != int64(out.Len()) || !bytes.HasPrefix(out.Bytes(), []byte("\x28\xb5\x2f\xfd")) {
			t.Errorf("packed: %+v, %v, begins with %x", got, err, out.Bytes()[:8])
		}
		_, err = f.client.MSD.Download(t.Context(), "none.img", &out, nil)
		failure{Type: "APIError", Class: pikvm.ErrNotFound, Kinds: errkit.NotFound | errkit.Invalid, Status: 400}.check(t, err)
	})
}

// TestDownloadBroken: only a whole image is a success, and the next download works.
func TestDownloadBroken(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	for _, tc := range []struct {
		name  string
		fault pikvmtest.Fault
		to    io.Writer
		want  error
	}{
		{"cut off", pikvmtest.Fault{Kind: pikvmtest.FaultTruncate, Bytes: 100}, io.Discard, pikvm.ErrResponse},
		{"reset", pikvmtest.Fault{Kind: pikvmtest.FaultReset}, io.Discard, pikvm.ErrConnect},
		{"hang", pikvmtest.Fault{Kind: pikvmtest.FaultHang}, io.Discard, pikvm.ErrConnectionTimeout},
		{"page", pikvmtest.Fault{Kind: pikvmtest.FaultPage}, io.Discard, errkit.Unavailable},
		{"stall", pikvmtest.Fault{Kind: pikvmtest.FaultSlow, Interval: 2 * time.Minute}, io.Discard, pikvm.ErrConnectionTimeout},
		{"slow is no stall", pikvmtest.Fault{Kind: pikvmtest.FaultSlow, Interval: 30 * time.Second, Bytes: 500}, io.Discard, nil},
		{"writer", pikvmtest.Fault{}, iotest.TruncateWriter(failingWriter{full}, 0), nil},
		{"failing writer", pikvmtest.Fault{}, failingWriter{full}, full},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				put(t, f, "a.img", 5000)
				tc.fault.Path, tc.fault.Times = "/api/msd/read", 1
				f.Inject(tc.fault)
				_, err := f.client.MSD.Download(t.Context(), "a.img", tc.to, nil)
				if !errors.Is(err, tc.want) {
					t.Errorf("error is %v, want %v", err, tc.want)
				}
				if tc.want == full {
					checkMSD(t, err, pikvm.StepWrite, 0)
				}
				time.Sleep(time.Second)
				if got, err := f.client.MSD.Download(t.Context(), "a.img", io.Discard, nil); err != nil || got.Size != 5000 {
					t.Errorf("the next one: %+v, %v", got, err)
				}
			})
		})
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
