package pikvm_test

import (
	"context"
	"image"
	"io"
	"math"
	"regexp"
	"testing"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// screenBounds are arguments just inside and just outside of what can be looked for.
func screenBounds() []bound {
	change := func(o *pikvm.WaitChangeOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.WaitForScreenChange(ctx, o)
			return err
		}
	}
	text := func(text *regexp.Regexp, o *pikvm.WaitTextOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.WaitForText(ctx, text, o)
			return err
		}
	}
	shot := func(o *pikvm.ScreenshotOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Screenshot(ctx, o)
			return err
		}
	}
	media := func(o *pikvm.MediaOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			s, err := c.Media.Open(ctx, o)
			if err == nil {
				_ = s.Close()
			}
			return err
		}
	}
	record := func(to io.Writer, o *pikvm.RecordOptions) restCall {
		return func(ctx context.Context, c *pikvm.Client) error {
			_, err := c.Media.Record(ctx, to, o)
			return err
		}
	}
	any := regexp.MustCompile("")
	least, over := math.SmallestNonzeroFloat64, math.Nextafter(1, 2)
	return []bound{
		{"screenshot", "", shot(nil)},
		{"screenshot in small", "", shot(&pikvm.ScreenshotOptions{Preview: &pikvm.PreviewOptions{Quality: 100}})},
		{"screenshot of quality 101", "Quality", shot(&pikvm.ScreenshotOptions{Preview: &pikvm.PreviewOptions{Quality: 101}})},
		{"no text", "text", text(nil, nil)},
		{"any text", "", text(any, nil)},
		{"text of a pixel", "", text(any, &pikvm.WaitTextOptions{Region: image.Rect(0, 0, 1, 1)})},
		{"text beside the screen", "Region", text(any, &pikvm.WaitTextOptions{Region: image.Rect(-1, 0, 1, 1)})},
		{"text in no language", "Languages", text(any, &pikvm.WaitTextOptions{Languages: []string{""}})},
		{"change", "", change(nil)},
		{"change of all", "", change(&pikvm.WaitChangeOptions{Threshold: 1})},
		{"least change", "", change(&pikvm.WaitChangeOptions{Threshold: least})},
		{"change of more than all", "Threshold", change(&pikvm.WaitChangeOptions{Threshold: over})},
		{"negative change", "Threshold", change(&pikvm.WaitChangeOptions{Threshold: -least})},
		{"change of NaN", "Threshold", change(&pikvm.WaitChangeOptions{Threshold: math.NaN()})},
		{"change of a pixel", "", change(&pikvm.WaitChangeOptions{Region: image.Rect(0, 0, 1, 1)})},
		{"change beside the screen", "Region", change(&pikvm.WaitChangeOptions{Region: image.Rect(0, 0, 65536, 1)})},
		{"video", "", media(nil)},
		{"video of pictures", "", media(&pikvm.MediaOptions{Format: pikvm.MediaJPEG, Pure: true, Buffer: 1, MaxFrame: 1})},
		{"video of another format", "Format", media(&pikvm.MediaOptions{Format: "h265"})},
		{"video with a negative buffer", "Buffer", media(&pikvm.MediaOptions{Buffer: -1})},
		{"video with negative frames", "MaxFrame", media(&pikvm.MediaOptions{MaxFrame: -1})},
		{"recording", "", record(io.Discard, &pikvm.RecordOptions{Duration: 1})},
		{"recording to nothing", "to", record(nil, nil)},
		{"recording of negative length", "Duration", record(io.Discard, &pikvm.RecordOptions{Duration: -1})},
		{"change since no picture", "Since", change(&pikvm.WaitChangeOptions{Since: new(pikvm.Snapshot)})},
	}
}

// TestTiles checks what counts as a change, by the part of a picture.
func TestTiles(t *testing.T) {
	t.Parallel()
	size := image.Pt(384, 216)
	plain := &pikvm.Snapshot{JPEG: gray(t, size, image.Rectangle{})}
	for name, tc := range map[string]struct {
		light  image.Rectangle
		region image.Rectangle
		low    float64
		high   float64
	}{
		"nothing":            {},
		"a pixel":            {light: image.Rect(10, 10, 11, 11), high: 0.001},
		"a letter":           {light: image.Rect(8, 8, 16, 24), low: 0.0015, high: 0.005},
		"a half":             {light: image.Rect(0, 0, 192, 216), low: 0.45, high: 0.55},
		"all":                {light: image.Rect(0, 0, 384, 216), low: 1, high: 1},
		"half of the region": {light: image.Rect(100, 0, 110, 216), region: image.Rect(90, 0, 110, 216), low: 0.4, high: 0.6},
		"beside the region":  {light: image.Rect(0, 0, 50, 50), region: image.Rect(100, 100, 200, 200)},
		"region of a pixel":  {light: image.Rect(0, 0, 384, 216), region: image.Rect(3, 3, 4, 4), low: 1, high: 1},
	} {
		part, err := pikvm.Changed(plain, &pikvm.Snapshot{JPEG: gray(t, size, tc.light)}, tc.region)
		if err != nil || part < tc.low || part > tc.high {
			t.Errorf("%s: %v, %v; want %v to %v", name, part, err, tc.low, tc.high)
		}
	}
	if part, err := pikvm.Changed(plain, &pikvm.Snapshot{JPEG: gray(t, image.Pt(320, 200), image.Rectangle{})}, image.Rectangle{}); part != 1 || err != nil {
		t.Errorf("another size: %v, %v", part, err)
	}
}

// FuzzTiles checks that no picture upsets the comparison, and that each is like itself.
func FuzzTiles(f *testing.F) {
	f.Add([]byte(nil), 0, 0, 0, 0)
	f.Add([]byte("\xff\xd8\xff\xd9"), 0, 0, 1, 1)
	f.Fuzz(func(t *testing.T, data []byte, x0, y0, x1, y1 int) {
		if len(data) > 1<<16 {
			t.Skip()
		}
		if len(data) == 0 {
			data = gray(t, image.Pt(20, 10), image.Rect(0, 0, 5, 5))
		}
		region := image.Rect(x0&65535, y0&65535, x1&65535, y1&65535)
		s := &pikvm.Snapshot{JPEG: data}
		if part, err := pikvm.Changed(s, s, region); err == nil && part != 0 {
			t.Errorf("differs from itself by %v", part)
		}
	})
}
