package pikvm

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
)

// Binary messages of the media socket (PiKVM: media daemon). In pure mode every binary message of the device is a frame.
const (
	mediaVideo   = 0x01 // from the device: a frame, after a byte that is 1 for a key frame
	mediaKeyWish = 0x01 // to the device: the next frame is to be a key frame
)

// MediaFrame is one frame of the video.
type MediaFrame struct {
	// Key tells that the frame can be decoded by itself: with H.264 it begins with the parameters of the stream. A
	// picture always can.
	Key bool

	// Data is an access unit of H.264 with its start codes, or a JPEG. It is the reader's to keep.
	Data []byte

	// Time is when it arrived.
	Time time.Time

	// Lost is how many frames are missing before this one, because the reader was too slow.
	Lost uint64
}

var (
	errShortFrame = errors.New("a frame without its head")
	errNoH264     = errors.New("no H.264 byte stream")
)

// decodeFrame takes a binary message apart. It is not ok for messages that are no frames. The data is that of the message.
func decodeFrame(message []byte, format MediaFormat, pure bool) (f MediaFrame, ok bool, err error) {
	f.Data = message
	if !pure {
		switch {
		case len(message) == 0 || message[0] != mediaVideo:
			return f, false, nil // an answer to a ping, or for clients that are newer than this one
		case len(message) < 2:
			return f, false, errShortFrame
		}
		f.Key, f.Data = message[1] != 0, message[2:]
	}
	switch {
	case format == MediaJPEG && !isJPEG(f.Data):
		return f, false, errNoJPEG
	case format == MediaJPEG:
		f.Key = true
	case !isAnnexB(f.Data):
		return f, false, errNoH264
	case pure:
		f.Key = beginsWithKey(f.Data)
	}
	return f, true, nil
}

// startCode stands before every unit of a byte stream, often with one more zero (ITU-T H.264, section B.1.1).
var startCode = []byte{0, 0, 1}

func isAnnexB(data []byte) bool {
	return bytes.HasPrefix(data, startCode) || len(data) > 0 && data[0] == 0 && bytes.HasPrefix(data[1:], startCode)
}

// Types of units that tell what an access unit is (ITU-T H.264, table 7-1).
const (
	nalSlice     = 1 // of a picture that needs others, as 2 to 4 are
	nalKeySlice  = 5 // of a picture that can be decoded by itself
	nalParameter = 7 // sequence parameters, which a key frame begins with
)

// beginsWithKey looks for the first unit that tells whether an access unit is a key frame.
func beginsWithKey(data []byte) bool {
	for {
		at := bytes.Index(data, startCode)
		if at < 0 || at+len(startCode) == len(data) {
			return false
		}
		data = data[at+len(startCode):]
		switch kind := data[0] & 0x1f; {
		case kind == nalKeySlice || kind == nalParameter:
			return true
		case kind >= nalSlice && kind < nalKeySlice:
			return false
		}
	}
}

// decodeAnnouncement reads the text message by which the device tells which video there is. It is nil for others.
func decodeAnnouncement(message []byte) (*MediaState, error) {
	var event struct {
		Type  string          `json:"event_type"`
		Event json.RawMessage `json:"event"`
	}
	if err := json.Unmarshal(message, &event); err != nil {
		return nil, err
	}
	if event.Type != "media" {
		return nil, nil
	}
	state := new(MediaState)
	if err := json.Unmarshal(event.Event, state); err != nil {
		return nil, err
	}
	return state, nil
}

// encodeStart is the message that asks for video.
func encodeStart(format MediaFormat) []byte {
	return []byte(`{"event_type":"start","event":{"type":"video","format":"` + string(format) + `"}}`)
}
