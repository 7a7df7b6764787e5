package pikvm

import (
	"image"
	"io"
)

// Decoders that have tests of their own.
var (
	ParseMetrics   = parseMetrics
	CheckImageName = checkImageName
	StoredName     = storedName
)

// ReadLog reads all records.
func ReadLog(r io.Reader) ([]LogRecord, error) {
	l := newLogReader(r)
	var records []LogRecord
	for {
		record, err := l.next()
		if err != nil {
			return records, err
		}
		records = append(records, record)
	}
}

// ReadProgress reads all lines of progress: for each, whether it is a success, and its result.
func ReadProgress(r io.Reader) (oks []bool, results []string, err error) {
	l := newProgressLines(r)
	for {
		e, err := l.next()
		if err != nil {
			return oks, results, err
		}
		oks = append(oks, *e.OK)
		results = append(results, string(e.Result))
	}
}

// MaxProgressLine and MaxLogRecord are bounds, in bytes.
const (
	MaxProgressLine = maxProgressLine
	MaxLogRecord    = maxLogRecord
)

// ReadFrames reads all pictures of a stream and what it tells of them.
func ReadFrames(r io.Reader, contentType string, limit int64) (pictures []string, infos []SnapshotInfo, err error) {
	parts, err := newPartReader(r, contentType, limit)
	if err != nil {
		return nil, nil, err
	}
	for {
		frame, err := parts.next()
		if err != nil {
			return pictures, infos, err
		}
		pictures, infos = append(pictures, string(frame.JPEG)), append(infos, frame.SnapshotInfo)
	}
}

// Changed compares a region of two pictures.
func Changed(before, after *Snapshot, region image.Rectangle) (float64, error) {
	first, err := tile(before, region)
	if err != nil {
		return 0, err
	}
	second, err := tile(after, region)
	if err != nil {
		return 0, err
	}
	return first.changed(second), nil
}

// DecodeFrame takes a message of the media socket apart.
func DecodeFrame(message []byte, format MediaFormat, pure bool) (f MediaFrame, ok bool, err error) {
	return decodeFrame(message, format, pure)
}

// DecodeAnnouncement reads the first message of the media socket.
func DecodeAnnouncement(message []byte) (*MediaState, error) { return decodeAnnouncement(message) }

// FrameBuffer is what keeps frames for slow readers.
type FrameBuffer struct{ *frameBuffer }

// NewFrameBuffer returns one for so many frames.
func NewFrameBuffer(maxFrames int, format MediaFormat) FrameBuffer {
	return FrameBuffer{newFrameBuffer(maxFrames, format)}
}

// Put appends a frame; Poll takes one without waiting.
func (b FrameBuffer) Put(f MediaFrame) bool { return b.put(f) }

func (b FrameBuffer) Poll() (MediaFrame, bool) {
	f, ok, _ := b.poll()
	return f, ok
}

// Held returns how many bytes and frames are kept, and how many frames were lost.
func (b FrameBuffer) Held() (bytes, frames int, lost uint64) { return b.bytes, len(b.frames), b.lost }
