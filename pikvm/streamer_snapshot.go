package pikvm

import (
	"bytes"
	"context"
	"errors"
	"image"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// SnapshotOptions are the optional settings of [Streamer.Snapshot].
type SnapshotOptions struct {
	// Save keeps the picture on the device as the saved snapshot, until it restarts.
	Save bool

	// Load returns the saved snapshot instead of a new one. It works while the streamer is stopped.
	Load bool

	// AllowOffline takes the placeholder that the device shows without a signal from the host.
	AllowOffline bool

	// Preview asks for a smaller picture.
	Preview *PreviewOptions
}

// PreviewOptions say how much smaller a picture is to be. Its proportions stay, and it never grows.
type PreviewOptions struct {
	MaxWidth, MaxHeight int // in pixels; one of them 0 means no limit, both mean a fifth of the screen
	Quality             int // of JPEG, 1 to 100; 0 means 80
}

// Snapshot is a picture of the screen.
type Snapshot struct {
	SnapshotInfo
	JPEG []byte
}

// SnapshotInfo is what the device tells of a picture.
type SnapshotInfo struct {
	Online        bool // there was a signal from the host
	Width, Height int  // of the screen, also for previews; 0 if the device does not tell
	Time          time.Time

	// Header is that of the answer: the streamer tells more there, in fields that begin with X-Ustreamer.
	Header http.Header
}

// Snapshot takes a picture of the screen, of at most [Options].MaxBody bytes. A stopped streamer, no signal, and a saved
// snapshot that there is not, are [ErrUnavailable]. What is no JPEG is a [ResponseError]: some devices send H.264 instead.
// Nil options are the defaults.
func (s *Streamer) Snapshot(ctx context.Context, opts *SnapshotOptions) (*Snapshot, error) {
	const op = "streamer.Snapshot"
	var o SnapshotOptions
	if opts != nil {
		o = *opts
	}
	query := url.Values{}
	if err := setSource(op, query, o.Save, o.Load, o.AllowOffline); err != nil {
		return nil, err
	}
	if p := o.Preview; p != nil {
		query.Set("preview", "1")
		for _, n := range []struct {
			field, name string
			value, high int
		}{
			{"MaxWidth", "preview_max_width", p.MaxWidth, maxPreview},
			{"MaxHeight", "preview_max_height", p.MaxHeight, maxPreview},
			{"Quality", "preview_quality", p.Quality, 100},
		} {
			if n.value < 0 || n.value > n.high {
				return nil, configurationError(op, n.field, "not 0 to "+strconv.Itoa(n.high))
			}
			if n.value > 0 {
				query.Set(n.name, strconv.Itoa(n.value))
			}
		}
	}
	a, info, err := s.take(ctx, &call{op: op, method: http.MethodGet, path: snapshotPath, query: query}, "image/jpeg")
	if err != nil {
		return nil, err
	}
	return &Snapshot{*info, a.body}, nil
}

// OCROptions are the optional settings of [Streamer.Recognize].
type OCROptions struct {
	// Languages are some of [OCRState].Available. None means the default of the device.
	Languages []string

	// Region is the part of the screen to look at, in pixels. The empty one means all of it.
	Region image.Rectangle

	// Save, Load and AllowOffline are as in [SnapshotOptions].
	Save, Load, AllowOffline bool
}

// Recognition is the text on a picture of the screen.
type Recognition struct {
	SnapshotInfo
	Text string
}

// ocrPatience is how long the device may need to read a screen, beyond the client's Timeout: 10 to 20s are usual, and its
// web server ends a request after 60s.
const ocrPatience = 45 * time.Second

// Recognize lets the device read the text on the screen. That takes seconds, and the client waits 45s beyond its Timeout; a
// deadline of ctx replaces that. Errors are those of [Streamer.Snapshot], an unknown language [ErrInvalidArgument]. Nil
// options are the defaults.
func (s *Streamer) Recognize(ctx context.Context, opts *OCROptions) (*Recognition, error) {
	const op = "streamer.Recognize"
	var o OCROptions
	if opts != nil {
		o = *opts
	}
	query := url.Values{"ocr": {"1"}}
	if err := setSource(op, query, o.Save, o.Load, o.AllowOffline); err != nil {
		return nil, err
	}
	languages, ok := joinList(o.Languages)
	if !ok {
		return nil, configurationError(op, "Languages", badList)
	}
	if languages != "" {
		query.Set("ocr_langs", languages)
	}
	if r := o.Region; r != (image.Rectangle{}) {
		if r.Empty() || r.Min.X < 0 || r.Min.Y < 0 || r.Max.X > maxPreview || r.Max.Y > maxPreview {
			return nil, configurationError(op, "Region", "empty, or not on a screen")
		}
		for name, v := range map[string]int{
			"ocr_left": r.Min.X, "ocr_top": r.Min.Y, "ocr_right": r.Max.X, "ocr_bottom": r.Max.Y,
		} {
			query.Set(name, strconv.Itoa(v))
		}
	}
	k := &call{op: op, method: http.MethodGet, path: snapshotPath, query: query, patience: ocrPatience}
	a, info, err := s.take(ctx, k, "text/plain")
	if err != nil {
		return nil, err
	}
	return &Recognition{*info, string(a.body)}, nil
}

const (
	snapshotPath = "/api/streamer/snapshot"
	maxPreview   = 65535 // pixels; JPEG has no more (ITU-T T.81, section B.2.2)
)

// setSource adds which picture is meant.
func setSource(op string, query url.Values, save, load, offline bool) error {
	if load && (save || offline) {
		return configurationError(op, "Load", "together with Save or AllowOffline")
	}
	for name, on := range map[string]bool{"save": save, "load": load, "allow_offline": offline} {
		if on {
			query.Set(name, "1")
		}
	}
	return nil
}

var (
	errNoJPEG = errors.New("no JPEG")
	errNoText = errors.New("not a text in UTF-8")
)

// take performs the call and checks that the answer is what it should be.
func (s *Streamer) take(ctx context.Context, k *call, kind string) (*answer, *SnapshotInfo, error) {
	var a *answer
	do := func(ctx context.Context) (err error) {
		a, err = s.c.fetch(ctx, k)
		return err
	}
	var err error
	if s.c.retry == nil {
		err = do(ctx)
	} else {
		err = s.c.repeat(ctx, k.op, s.c.retry, do)
	}
	if err != nil {
		return nil, nil, err
	}
	got, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	switch {
	case kind == "image/jpeg" && (got != kind || !isJPEG(a.body)):
		return nil, nil, s.c.responseError(k, a, errNoJPEG)
	case kind == "text/plain" && (got != kind || !utf8.Valid(a.body)):
		return nil, nil, s.c.responseError(k, a, errNoText)
	}
	info, ok := parseSnapshotInfo(a.header)
	if !ok {
		return nil, nil, s.c.responseError(k, a, missing("X-UStreamer-Online"))
	}
	return a, info, nil
}

// isJPEG reports whether something begins as a JPEG does (ITU-T T.81, section B.1.1.3: SOI).
func isJPEG(data []byte) bool { return bytes.HasPrefix(data, []byte{0xff, 0xd8}) }

// parseSnapshotInfo reads what the header of an answer or of a part tells. It is false if it does not tell of the signal.
func parseSnapshotInfo(h http.Header) (*SnapshotInfo, bool) {
	online, err := strconv.ParseBool(h.Get("X-UStreamer-Online"))
	info := &SnapshotInfo{Online: online, Header: h}
	info.Width, _ = strconv.Atoi(h.Get("X-UStreamer-Width")) // 0 if it is not there
	info.Height, _ = strconv.Atoi(h.Get("X-UStreamer-Height"))
	if at, err := strconv.ParseFloat(h.Get("X-Timestamp"), 64); err == nil && at > 0 && at < 1<<40 {
		info.Time = time.UnixMicro(int64(at * 1e6))
	}
	return info, err == nil
}
