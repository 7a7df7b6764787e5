package pikvm_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
)

// bare hides everything of a reader but Read.
func bare(r io.Reader) io.Reader { return struct{ io.Reader }{r} }

// TestUploadBadSource: a source that is not what it was said to be never becomes a whole image.
func TestUploadBadSource(t *testing.T) {
	t.Parallel()
	const size = 100_000
	broken := errors.New("disk broke")
	for _, tc := range []struct {
		name   string
		source func() io.Reader
		kinds  errkit.Kind
		cause  error
	}{
		{"short", func() io.Reader { return bytes.NewReader(pattern(size - 1)) }, errkit.Invalid, nil},
		{"empty", func() io.Reader { return strings.NewReader("") }, errkit.Invalid, nil},
		{"long", func() io.Reader { return bytes.NewReader(pattern(size + 1)) }, errkit.Invalid, nil},
		{"much longer", func() io.Reader { return bytes.NewReader(pattern(3 * size)) }, errkit.Invalid, nil},
		{"short, byte by byte", func() io.Reader { return iotest.OneByteReader(bytes.NewReader(pattern(size - 1))) }, errkit.Invalid, nil},
		{"long, byte by byte", func() io.Reader { return iotest.OneByteReader(bytes.NewReader(pattern(size + 1))) }, errkit.Invalid, nil},
		{"long, end with the data", func() io.Reader { return iotest.DataErrReader(bytes.NewReader(pattern(size + 1))) }, errkit.Invalid, nil},
		{"broken", func() io.Reader {
			return io.MultiReader(bytes.NewReader(pattern(size/2)), iotest.ErrReader(broken))
		}, 0, broken},
		{"broken at the end", func() io.Reader {
			return io.MultiReader(bytes.NewReader(pattern(size)), iotest.ErrReader(broken))
		}, 0, broken},
	} {
		for name, keep := range map[string]bool{"": false, " and kept": true} {
			t.Run(tc.name+name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, nil, nil, func(t *testing.T, f *fake) {
					_, err := f.client.MSD.Upload(t.Context(), "a.img", bare(tc.source()), size, &pikvm.UploadOptions{KeepIncomplete: keep})
					checkMSD(t, err, pikvm.StepRead, tc.kinds)
					if tc.cause != nil && !errors.Is(err, tc.cause) {
						t.Errorf("error %v hides its cause", err)
					}
					time.Sleep(2 * time.Second)
					images := f.Images()
					switch {
					case !keep && len(images) > 0, keep && len(images) != 1, keep && images[0].Complete:
						t.Errorf("the device has %+v", images)
					}
					opts := &pikvm.UploadOptions{Replace: keep}
					if _, err := f.client.MSD.Upload(t.Context(), "a.img", bare(bytes.NewReader(pattern(size))), size, opts); err != nil {
						t.Errorf("the next one: %v", err)
					}
				})
			})
		}
	}
}

// TestUploadGoodSources: it does not matter how a source hands out its bytes and its end.
func TestUploadGoodSources(t *testing.T) {
	t.Parallel()
	const size = 70_000
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"as it is": bare, "byte by byte": iotest.OneByteReader, "half": iotest.HalfReader,
		"end with the data": iotest.DataErrReader, "with a length": func(r io.Reader) io.Reader { return r },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				if _, err := f.client.MSD.Upload(t.Context(), "a.img", wrap(bytes.NewReader(pattern(size))), size, nil); err != nil {
					t.Fatal(err)
				}
				if content, err := f.ImageContent("a.img"); err != nil || !bytes.Equal(content, pattern(size)) {
					t.Errorf("the device has %d other bytes (%v)", len(content), err)
				}
			})
		})
	}
}
