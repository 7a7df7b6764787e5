package pikvmtest

import (
	goimage "image"
	"math"
	"net/http"
)

var errUnavailable = &apiError{http.StatusServiceUnavailable, "UnavailableError", "Service Unavailable"}

// snapshotArgs are the parameters of a snapshot that say which one.
type snapshotArgs struct{ save, load, offline, ocr, preview bool }

func (c *call) snapshotArgs() (a snapshotArgs, err error) {
	for name, target := range map[string]*bool{
		"save": &a.save, "load": &a.load, "allow_offline": &a.offline, "ocr": &a.ocr, "preview": &a.preview,
	} {
		if *target, err = c.arg(name).or("0").bool(); err != nil {
			return a, err
		}
	}
	return a, nil
}

// snapshot answers with a picture or with the text on it.
func (v *streamer) snapshot(c *call) error {
	args, err := c.snapshotArgs()
	if err != nil {
		return err
	}
	p := v.shoot(args)
	switch {
	case p == nil:
		return errUnavailable
	case args.ocr:
		return v.recognize(c, p)
	}
	width, height, quality := p.width, p.height, 80
	if args.preview {
		if width, height, quality, err = c.preview(p); err != nil {
			return err
		}
	}
	p.header(c.w.Header())
	write(c.w, http.StatusOK, "image/jpeg", string(v.album.encode(p, width, height, quality)))
	return nil
}

// shoot returns the picture that is asked for, nil for none.
func (v *streamer) shoot(args snapshotArgs) *picture {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case args.load:
		return v.saved
	case !v.running || v.offline && !args.offline:
		return nil
	}
	p := v.picture()
	if args.save {
		v.saved = p
		v.publish(map[string]any{"snapshot": v.savedState()})
	}
	return p
}

// preview is the size and the quality of a smaller picture.
func (c *call) preview(p *picture) (width, height, quality int, err error) {
	var numbers [3]int64
	for i, n := range []struct {
		arg, def, shown string
		low, high       int64
	}{
		{"preview_max_width", "0", "int", 0, math.MaxInt64},
		{"preview_max_height", "0", "int", 0, math.MaxInt64},
		{"preview_quality", "80", "stream quality", 1, 100},
	} {
		if numbers[i], err = c.arg(n.arg).or(n.def).intTo(n.shown, n.low, n.high); err != nil {
			return 0, 0, 0, err
		}
	}
	maxWidth, maxHeight := float64(numbers[0]), float64(numbers[1])
	if maxWidth == 0 && maxHeight == 0 {
		maxWidth, maxHeight = float64(p.width/5), float64(p.height/5)
	}
	if maxWidth == 0 {
		maxWidth = float64(p.width)
	}
	if maxHeight == 0 {
		maxHeight = float64(p.height)
	}
	scale := min(maxWidth/float64(p.width), maxHeight/float64(p.height), 1)
	return max(int(float64(p.width)*scale), 1), max(int(float64(p.height)*scale), 1), int(numbers[2]), nil
}

// recognize answers with the text on a picture.
func (v *streamer) recognize(c *call, p *picture) error {
	if _, err := c.arg("ocr_langs").or("").list("eng"); err != nil {
		return err
	}
	var sides [4]int
	for i, name := range []string{"ocr_left", "ocr_top", "ocr_right", "ocr_bottom"} {
		n, err := c.arg(name).or("-1").int("int", -1)
		if err != nil {
			return err
		}
		sides[i] = int(min(n, math.MaxInt32))
	}
	region := goimage.Rectangle{Min: goimage.Pt(max(sides[0], 0), max(sides[1], 0)), Max: goimage.Pt(sides[2], sides[3])}
	if sides[2] < 0 {
		region.Max.X = p.width
	}
	if sides[3] < 0 {
		region.Max.Y = p.height
	}
	if region.Intersect(goimage.Rect(0, 0, p.width, p.height)).Empty() {
		region = goimage.Rect(0, 0, p.width, p.height)
	}
	if v.server.sleep(c.r.Context(), v.opts.OCRTime) != nil {
		panic(http.ErrAbortHandler)
	}
	p.header(c.w.Header())
	write(c.w, http.StatusOK, "text/plain", p.read(region))
	return nil
}
