package pikvm

import (
	"context"
	"encoding/json"
)

// Media is the video as the streamer encodes it: H.264 or single pictures, without delay and without a browser. The device has
// it since version 4.28, and pure mode since 4.110. All methods may be called from several goroutines at once.
type Media struct{ c *Client }

// MediaFormat is a format of the video.
type MediaFormat string

// Formats.
const (
	MediaH264 MediaFormat = "h264" // ITU-T H.264, in the byte stream format of its Annex B
	MediaJPEG MediaFormat = "jpeg"
)

// MediaState tells which video a device offers.
type MediaState struct {
	H264 *MediaH264Info // nil if it is not offered
	JPEG bool
	// Raw is the object as the device sent it.
	Raw json.RawMessage
}

// MediaH264Info tells of H.264 video.
type MediaH264Info struct {
	ProfileLevelID string `json:"profile_level_id"` // such as "42E01F" (RFC 6184, section 8.1)
}

// State asks which video there is. A device on which the media daemon does not run answers HTTP 502, an [APIError] of kind
// Unavailable. Other errors are those of every request; see the package's documentation.
func (m *Media) State(ctx context.Context) (*MediaState, error) {
	var answer mediaAnswer
	if err := m.c.get(ctx, call{op: "media.State", path: "/api/media"}, &answer); err != nil {
		return nil, err
	}
	return answer.state, nil
}

// mediaAnswer unwraps the state, which the announcement of a socket does not wrap.
type mediaAnswer struct{ state *MediaState }

// UnmarshalJSON reads the object as the device sends it.
func (a *mediaAnswer) UnmarshalJSON(data []byte) error {
	var wire struct {
		Media *MediaState `json:"media"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.Media == nil {
		return missing("media")
	}
	a.state = wire.Media
	return nil
}

// UnmarshalJSON reads the object as the device sends it. The list of formats must be there.
func (s *MediaState) UnmarshalJSON(data []byte) error {
	var wire struct {
		Video *struct {
			H264 *MediaH264Info  `json:"h264"`
			JPEG json.RawMessage `json:"jpeg"`
		} `json:"video"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.Video == nil {
		return missing("video")
	}
	*s = MediaState{
		H264: wire.Video.H264, JPEG: wire.Video.JPEG != nil && string(wire.Video.JPEG) != "null",
		Raw: append(json.RawMessage(nil), data...),
	}
	return nil
}

// offers reports whether there is video in a format.
func (s *MediaState) offers(format MediaFormat) bool {
	return format == MediaH264 && s.H264 != nil || format == MediaJPEG && s.JPEG
}
