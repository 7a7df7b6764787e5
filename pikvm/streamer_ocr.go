package pikvm

import (
	"context"
	"encoding/json"
)

// OCRState tells what the device can read.
type OCRState struct {
	Enabled   bool
	Default   []string // languages that it looks for unless told otherwise
	Available []string // languages that it knows, such as "eng"

	// Raw is the object as the device sent it.
	Raw json.RawMessage
}

// OCR asks what [Streamer.Recognize] can read.
func (s *Streamer) OCR(ctx context.Context) (*OCRState, error) {
	var answer ocrAnswer
	if err := s.c.get(ctx, call{op: "streamer.OCR", path: "/api/streamer/ocr"}, &answer); err != nil {
		return nil, err
	}
	return answer.state, nil
}

// ocrAnswer wraps the state, which events do not.
type ocrAnswer struct{ state *OCRState }

// UnmarshalJSON reads the object as the device sends it.
func (a *ocrAnswer) UnmarshalJSON(data []byte) error {
	var wire struct {
		OCR *OCRState `json:"ocr"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.OCR == nil {
		return missing("ocr")
	}
	a.state = wire.OCR
	return nil
}

// OCR returns what the device can read, and false as long as it has not told it in a readable form.
func (s *State) OCR() (*OCRState, bool) { return decodePart[OCRState](s, EventOCR) }

// UnmarshalJSON reads the object as the device sends it.
func (o *OCRState) UnmarshalJSON(data []byte) error {
	var wire struct {
		Enabled *loose `json:"enabled"`
		Langs   struct {
			Default   []string `json:"default"`
			Available []string `json:"available"`
		} `json:"langs"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.Enabled == nil {
		return missing("enabled")
	}
	*o = OCRState{wire.Enabled.bool(), wire.Langs.Default, wire.Langs.Available, append(json.RawMessage(nil), data...)}
	return nil
}
