package pikvm

import (
	"context"
	"errors"
	"hash"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Compression is how the device packs an image for a download.
type Compression string

// Compressions of the PiKVM API. LZMA makes .xz files and is slow; Zstd needs version 3.135.
const (
	CompressNone Compression = ""
	CompressLZMA Compression = "lzma"
	CompressZstd Compression = "zstd"
)

// DownloadOptions are the optional settings of [MSD.Download]. The zero value is ready to use.
type DownloadOptions struct {
	// Compress packs the image on the device. What comes out is written as it is.
	Compress Compression

	// Hash gets every byte that is written out. Nil means none. It is not reset before.
	Hash hash.Hash

	// Progress hears how many bytes have been written out, of how many; size is negative with Compress, as the device
	// does not know it then. It is called from the goroutine of the caller.
	Progress func(done, size int64)

	// StallTimeout ends a download in which nothing moves any more, neither in the network nor in the writer. Zero
	// means 1min, negative means never.
	StallTimeout time.Duration
}

// DownloadedImage tells of a download.
type DownloadedImage struct {
	Size int64  // in bytes, as written out
	Sum  []byte // of [DownloadOptions].Hash; nil without
}

// downloadBuffer is how much is read at once, in bytes.
const downloadBuffer = 64 << 10

// Download writes an image out. The drive must not be connected ([ErrPrecondition]); an unknown image is [ErrNotFound].
// A success has brought all of it; what an error leaves written is a part, and the next download begins anew. A writer that fails is an [MSDError] with [StepWrite] and its error as the cause. The client's Timeout limits
// only the wait for the begin; a deadline of ctx limits it all. Nil options mean the defaults.
func (m *MSD) Download(
	ctx context.Context, image string, to io.Writer, opts *DownloadOptions,
) (*DownloadedImage, error) {
	const op = "msd.Download"
	var o DownloadOptions
	if opts != nil {
		o = *opts
	}
	switch reason := checkImageName(image); {
	case reason != "":
		return nil, configurationError(op, "image", reason)
	case to == nil:
		return nil, configurationError(op, "to", "nil")
	}
	query := url.Values{"image": {image}}
	switch o.Compress {
	case CompressNone:
	case CompressLZMA, CompressZstd:
		query.Set("compress", string(o.Compress))
	default:
		return nil, configurationError(op, "Compress", "unknown")
	}
	k := &call{op: op, method: http.MethodGet, path: "/api/msd/read", query: query}
	s, err := m.c.open(ctx, k, pace{head: max(m.c.opts.Timeout, 0), stall: stallLimit(o.StallTimeout)})
	if err != nil {
		return nil, err
	}
	defer s.Close() //nolint:errcheck // always nil
	size, err := m.save(s, image, to, &o)
	if err != nil {
		return nil, err
	}
	done := &DownloadedImage{Size: size}
	if o.Hash != nil {
		done.Sum = o.Hash.Sum(nil)
	}
	return done, nil
}

// save copies the stream to the writer.
func (m *MSD) save(s *stream, image string, to io.Writer, o *DownloadOptions) (int64, error) {
	if o.Hash != nil {
		to = io.MultiWriter(to, o.Hash)
	}
	var done int64
	buffer := make([]byte, downloadBuffer)
	for {
		n, err := s.Read(buffer)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return done, m.failure(s.call.op, image, StepWrite, "the writer failed", errkit.Classify(err), err)
			}
			s.watch.moved()
			done += int64(n)
			if o.Progress != nil {
				o.Progress(done, s.size)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return done, nil
		case err != nil:
			return done, err
		}
	}
}
