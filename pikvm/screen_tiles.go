package pikvm

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// Bounds of a comparison.
const (
	maxComparePixels = 1 << 23 // what a JPEG may claim to have before it is decoded: that of 3840x2160
	tilesWide        = 96      // of a whole screen; with 16:9 they are square
	tilesHigh        = 54
	minTile          = 4  // pixels of an edge, so that the noise of JPEG averages out
	tileTolerance    = 10 // of the mean of a colour, of 255
)

// tiles are the mean colours of the parts of a picture: few enough to compare quickly, and large enough that the noise of
// compression, but not a letter, gets lost in them.
type tiles struct {
	screen  image.Point // size of the screen
	picture image.Point // size of the picture, which may be smaller
	mean    [][3]uint8
}

// tile takes the region of a picture apart. The region is in pixels of the screen; the empty one means all.
func tile(s *Snapshot, region image.Rectangle) (*tiles, error) {
	config, err := jpeg.DecodeConfig(bytes.NewReader(s.JPEG))
	switch {
	case err != nil:
		return nil, err
	case int64(config.Width)*int64(config.Height) > maxComparePixels:
		return nil, fmt.Errorf("picture of over %d pixels: %w", maxComparePixels, errkit.TooLarge)
	}
	img, err := jpeg.Decode(bytes.NewReader(s.JPEG))
	if err != nil {
		return nil, err
	}
	size := img.Bounds().Size()
	t := &tiles{screen: image.Pt(s.Width, s.Height), picture: size}
	if t.screen.X <= 0 || t.screen.Y <= 0 { // the device does not tell
		t.screen = size
	}
	part := image.Rectangle{Max: size}
	if region != (image.Rectangle{}) {
		part = image.Rect(
			scaled(region.Min.X, size.X, t.screen.X), scaled(region.Min.Y, size.Y, t.screen.Y),
			scaled(region.Max.X, size.X, t.screen.X), scaled(region.Max.Y, size.Y, t.screen.Y),
		).Intersect(part)
	}
	if part.Empty() {
		return nil, errors.New("the region is not on the picture")
	}
	t.average(img, part)
	return t, nil
}

// scaled returns n pixels of a screen as pixels of a picture. The product may not fit into an int.
func scaled(n, picture, screen int) int { return int(int64(n) * int64(picture) / int64(screen)) }

// average fills in the means, one row of tiles after the other.
func (t *tiles) average(img image.Image, part image.Rectangle) {
	wide, high := clampTiles(part.Dx(), tilesWide), clampTiles(part.Dy(), tilesHigh)
	t.mean = make([][3]uint8, 0, wide*high)
	for row := range high {
		band := image.Rect(0, 0, part.Dx(), (row+1)*part.Dy()/high-row*part.Dy()/high)
		pixels := image.NewRGBA(band)
		draw.Draw(pixels, band, img, img.Bounds().Min.Add(part.Min).Add(image.Pt(0, row*part.Dy()/high)), draw.Src)
		for column := range wide {
			t.mean = append(t.mean, meanOf(pixels, column*part.Dx()/wide, (column+1)*part.Dx()/wide))
		}
	}
}

func clampTiles(pixels, most int) int { return min(max(pixels/minTile, 1), most) }

// meanOf returns the mean colour of some columns.
func meanOf(pixels *image.RGBA, from, to int) (mean [3]uint8) {
	var sum [3]int
	height := pixels.Rect.Dy()
	for y := range height {
		for at := pixels.PixOffset(from, y); at < pixels.PixOffset(to, y); at += 4 {
			for i := range sum {
				sum[i] += int(pixels.Pix[at+i])
			}
		}
	}
	for i := range sum {
		mean[i] = uint8(sum[i] / ((to - from) * height))
	}
	return mean
}

// changed returns the part of the tiles that differ. Screens of different sizes differ entirely.
func (t *tiles) changed(now *tiles) float64 {
	if t.screen != now.screen || len(t.mean) != len(now.mean) {
		return 1
	}
	n := 0
	for i, mean := range t.mean {
		for c := range mean {
			if d := int(mean[c]) - int(now.mean[i][c]); d > tileTolerance || d < -tileTolerance {
				n++
				break
			}
		}
	}
	return float64(n) / float64(len(t.mean))
}
