package pikvmtest

import (
	"bytes"
	goimage "image"
	"image/color"
	"image/jpeg"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// picture is the screen of a moment.
type picture struct {
	online        bool
	width, height int
	text          string
	at            time.Time
}

// Size of a character on the screen, in pixels.
const (
	cellWidth  = 8
	cellHeight = 16
)

// picture is called with mu held.
func (v *streamer) picture() *picture {
	width, height := v.size()
	p := &picture{online: !v.offline, width: width, height: height, at: time.Now()}
	if p.online {
		p.text = v.text
	}
	return p
}

// header tells of the picture.
func (p *picture) header(h http.Header) {
	h.Set("X-UStreamer-Online", strconv.FormatBool(p.online))
	h.Set("X-UStreamer-Width", strconv.Itoa(p.width))
	h.Set("X-UStreamer-Height", strconv.Itoa(p.height))
	h.Set("X-Timestamp", strconv.FormatFloat(seconds(p.at), 'f', 6, 64))
}

// album keeps the last JPEG of a streamer: most are as the one before.
type album struct {
	mu   sync.Mutex
	what albumKey
	jpeg []byte
}

// albumKey is all that a JPEG depends on.
type albumKey struct {
	online                    bool
	sourceWidth, sourceHeight int
	text                      string
	width, height, quality    int
}

// encode returns a picture as JPEG, in a size of choice. Nobody changes what it returns.
func (a *album) encode(p *picture, width, height, quality int) []byte {
	what := albumKey{p.online, p.width, p.height, p.text, width, height, quality}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.jpeg == nil || a.what != what {
		a.what, a.jpeg = what, p.encode(width, height, quality)
	}
	return a.jpeg
}

// encode draws the picture in a size of choice: every character is a cell of its own pattern.
func (p *picture) encode(width, height, quality int) []byte {
	lines := strings.Split(p.text, "\n")
	dark, light := color.Gray{16}, color.Gray{224}
	if !p.online {
		dark = color.Gray{64}
	}
	img := goimage.NewGray(goimage.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = dark.Y
	}
	rows := min(len(lines)*cellHeight, p.height) * height / p.height
	for y := range rows {
		sourceY := y * p.height / height
		line := lines[sourceY/cellHeight]
		for x := range min(len(line)*cellWidth, p.width) * width / p.width {
			sourceX := x * p.width / width
			c := line[sourceX/cellWidth]
			if c>>uint(sourceX%cellWidth)&1 != 0 && sourceY%cellHeight > 1 {
				img.SetGray(x, y, light)
			}
		}
	}
	var out bytes.Buffer
	_ = jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}) // a buffer takes everything
	return out.Bytes()
}

// read is the text in a region of the picture.
func (p *picture) read(region goimage.Rectangle) string {
	region = region.Intersect(goimage.Rect(0, 0, p.width, p.height))
	var out strings.Builder
	for row, line := range strings.Split(strings.TrimSuffix(p.text, "\n"), "\n") {
		from := min(region.Min.X/cellWidth, len(line))
		to := min((region.Max.X+cellWidth-1)/cellWidth, len(line))
		if top := row * cellHeight; top >= region.Min.Y && top < region.Max.Y && p.text != "" {
			out.WriteString(line[from:max(from, to)] + "\n")
		}
	}
	return out.String()
}
