package pikvm

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// StreamerState is the state of the video.
type StreamerState struct {
	Features StreamerFeatures
	Limits   StreamerLimits
	Params   StreamerParams // as set

	// Applied is what the running streamer uses. All are nil before version 4.126.
	Applied StreamerParams

	// Saved tells of the saved snapshot, nil for none.
	Saved *SavedSnapshot

	// Process is what the streamer does, nil while it is stopped.
	Process *StreamerProcess

	// Raw is the whole object as the device sent it.
	Raw json.RawMessage
}

// StreamerFeatures tells which settings there are.
type StreamerFeatures struct{ Quality, Resolution, H264 bool }

// StreamerLimits tells which values the device takes. What is nil does not exist on it.
type StreamerLimits struct {
	DesiredFPS  *StreamerRange
	H264Bitrate *StreamerRange
	H264GOP     *StreamerRange
	Resolutions []string
}

// StreamerRange are the smallest and the largest value.
type StreamerRange struct{ Min, Max int }

// SavedSnapshot tells of the saved snapshot: whether there was a signal, and the size of the screen.
type SavedSnapshot struct {
	Online        bool
	Width, Height int
}

// StreamerProcess is what a running streamer does.
type StreamerProcess struct {
	Online        bool // there is a signal from the host
	Width, Height int  // of the screen
	DesiredFPS    int
	CapturedFPS   int
	Clients       int // that watch the MJPEG stream

	// Raw is the whole object as the device sent it; much of it depends on the version of the streamer.
	Raw json.RawMessage
}

// Streamer returns the state of the video, and false as long as the device has not told it in a readable form;
// [State.Decode] says what is wrong.
func (s *State) Streamer() (*StreamerState, bool) { return decodePart[StreamerState](s, EventStreamer) }

// UnmarshalJSON reads the state as the device sends it. The features must be there.
func (s *StreamerState) UnmarshalJSON(data []byte) error {
	var wire struct {
		Features *struct {
			Quality    loose `json:"quality"`
			Resolution loose `json:"resolution"`
			H264       loose `json:"h264"`
		} `json:"features"`
		Limits struct {
			DesiredFPS  *StreamerRange `json:"desired_fps"`
			H264Bitrate *StreamerRange `json:"h264_bitrate"`
			H264GOP     *StreamerRange `json:"h264_gop"`
			Resolutions []string       `json:"available_resolutions"`
		} `json:"limits"`
		Params   StreamerParams `json:"params"`
		Applied  StreamerParams `json:"applied"`
		Snapshot struct {
			Saved *SavedSnapshot `json:"saved"`
		} `json:"snapshot"`
		Streamer *StreamerProcess `json:"streamer"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.Features == nil {
		return missing("features")
	}
	f := wire.Features
	*s = StreamerState{
		Features: StreamerFeatures{Quality: f.Quality.bool(), Resolution: f.Resolution.bool(), H264: f.H264.bool()},
		Limits:   StreamerLimits(wire.Limits),
		Params:   wire.Params,
		Applied:  wire.Applied,
		Saved:    wire.Snapshot.Saved,
		Process:  wire.Streamer,
		Raw:      append(json.RawMessage(nil), data...),
	}
	return nil
}

// UnmarshalJSON reads the settings as the device sends them.
func (p *StreamerParams) UnmarshalJSON(data []byte) error {
	var wire struct {
		Quality     *loose  `json:"quality"`
		DesiredFPS  *loose  `json:"desired_fps"`
		Resolution  *string `json:"resolution"`
		H264Bitrate *loose  `json:"h264_bitrate"`
		H264GOP     *loose  `json:"h264_gop"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*p = StreamerParams{
		Quality: wire.Quality.int(), DesiredFPS: wire.DesiredFPS.int(), Resolution: wire.Resolution,
		H264Bitrate: wire.H264Bitrate.int(), H264GOP: wire.H264GOP.int(),
	}
	return nil
}

// int returns the nearest integer, nil for none.
func (l *loose) int() *int {
	if l == nil {
		return nil
	}
	n := int(l.int64())
	return &n
}

// UnmarshalJSON reads a range as the device sends it.
func (r *StreamerRange) UnmarshalJSON(data []byte) error {
	var wire struct {
		Min loose `json:"min"`
		Max loose `json:"max"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*r = StreamerRange{int(wire.Min.int64()), int(wire.Max.int64())}
	return nil
}

// UnmarshalJSON reads the object as the device sends it.
func (s *SavedSnapshot) UnmarshalJSON(data []byte) error {
	var wire struct {
		Online loose `json:"online"`
		Width  loose `json:"width"`
		Height loose `json:"height"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	*s = SavedSnapshot{wire.Online.bool(), int(wire.Width.int64()), int(wire.Height.int64())}
	return nil
}

// UnmarshalJSON reads the object as the device sends it. Whether there is a signal must be there.
func (p *StreamerProcess) UnmarshalJSON(data []byte) error {
	var wire struct {
		Source struct {
			Online     *loose `json:"online"`
			Resolution struct {
				Width  loose `json:"width"`
				Height loose `json:"height"`
			} `json:"resolution"`
			DesiredFPS  loose `json:"desired_fps"`
			CapturedFPS loose `json:"captured_fps"`
		} `json:"source"`
		Stream struct {
			Clients loose `json:"clients"`
		} `json:"stream"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.Source.Online == nil {
		return missing("source.online")
	}
	source := wire.Source
	*p = StreamerProcess{
		Online: source.Online.bool(), Width: int(source.Resolution.Width.int64()), Height: int(source.Resolution.Height.int64()),
		DesiredFPS: int(source.DesiredFPS.int64()), CapturedFPS: int(source.CapturedFPS.int64()),
		Clients: int(wire.Stream.Clients.int64()), Raw: append(json.RawMessage(nil), data...),
	}
	return nil
}

// resolutionPattern is what the device takes as a resolution (PiKVM validators), in at most 16 characters.
var resolutionPattern = regexp.MustCompile(`\A[1-9][0-9]{0,6}x[1-9][0-9]{0,6}\z`)

// parseResolution reads a resolution such as 1280x720.
func parseResolution(text string) (size [2]int, ok bool) {
	if !resolutionPattern.MatchString(text) {
		return size, false
	}
	width, height, _ := strings.Cut(text, "x")
	size[0], _ = strconv.Atoi(width) // both are short and of digits
	size[1], _ = strconv.Atoi(height)
	return size, true
}
