package pikvm_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/pikvm"
)

// mediaRecording is a recorded media socket.
type mediaRecording struct {
	Media  string
	Frames []string // texts as they are, binary messages in hexadecimal
}

func mediaRecordings(t testing.TB) []mediaRecording {
	t.Helper()
	var all []mediaRecording
	if err := json.Unmarshal([]byte(readTestdata(t, "media_ws.json")), &all); err != nil || len(all) != 7 {
		t.Fatalf("%d recordings, %v", len(all), err)
	}
	return all
}

// TestMediaRecorded decodes every recorded message, and finds the same key frames in both modes.
func TestMediaRecorded(t *testing.T) {
	t.Parallel()
	frames, keys := 0, 0
	for _, r := range mediaRecordings(t) {
		pure := strings.HasPrefix(r.Media, "pure")
		for _, text := range r.Frames {
			if r.Media == "regular: greeting" {
				state, err := pikvm.DecodeAnnouncement([]byte(text))
				want := &pikvm.MediaState{H264: &pikvm.MediaH264Info{ProfileLevelID: "42E01F"}}
				if d := cmp.Diff(want, state, cmpopts.IgnoreFields(pikvm.MediaState{}, "Raw")); d != "" || err != nil {
					t.Errorf("announcement (-want +got):\n%s%v", d, err)
				}
				continue
			}
			message, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			f, ok, err := pikvm.DecodeFrame(message, pikvm.MediaH264, pure)
			if r.Media == "ping" {
				if ok || err != nil {
					t.Errorf("a pong is %+v, %v", f, err)
				}
				continue
			}
			frames++
			if f.Key {
				keys++
			}
			want := bytes.Contains(message, []byte{0, 0, 0, 1, 0x67})
			if err != nil || !ok || f.Key != want || !bytes.HasPrefix(f.Data, []byte{0, 0, 0, 1}) {
				t.Errorf("%s: %s is %+v, %v", r.Media, text, f, err)
			}
			again, ok, err := pikvm.DecodeFrame(f.Data, pikvm.MediaH264, true) // a payload is a message of pure mode
			if err != nil || !ok || again.Key != f.Key || !bytes.Equal(again.Data, f.Data) {
				t.Errorf("%s as pure: %+v, %v", text, again, err)
			}
		}
	}
	if frames != 26 || keys != 8 {
		t.Errorf("%d frames, %d of them keys", frames, keys)
	}
}

// TestMediaFrames checks messages that were not recorded.
func TestMediaFrames(t *testing.T) {
	t.Parallel()
	const ok, other, bad = "frame", "other", "bad"
	for name, tc := range map[string]struct {
		message string
		format  pikvm.MediaFormat
		pure    bool
		want    string
		key     bool
	}{
		"empty":                  {"", pikvm.MediaH264, false, other, false},
		"newer opcode":           {"\x02abc", pikvm.MediaH264, false, other, false},
		"head only":              {"\x01", pikvm.MediaH264, false, bad, false},
		"no payload":             {"\x01\x01", pikvm.MediaH264, false, bad, false},
		"no start code":          {"\x01\x01\x67\x42", pikvm.MediaH264, false, bad, false},
		"short start code":       {"\x01\x00\x00\x00\x01\x41", pikvm.MediaH264, false, ok, false},
		"the device is believed": {"\x01\x01\x00\x00\x01\x41", pikvm.MediaH264, false, ok, true},
		"empty, pure":            {"", pikvm.MediaH264, true, bad, false},
		"start code only":        {"\x00\x00\x00\x01", pikvm.MediaH264, true, ok, false},
		"delimiter, then key":    {"\x00\x00\x01\x09\xf0\x00\x00\x01\x67", pikvm.MediaH264, true, ok, true},
		"information, then key":  {"\x00\x00\x01\x06\x05\x00\x00\x01\x25", pikvm.MediaH264, true, ok, true},
		"delimiter, then slice":  {"\x00\x00\x01\x09\xf0\x00\x00\x01\x41\x00\x00\x01\x65", pikvm.MediaH264, true, ok, false},
		"reference bits":         {"\x00\x00\x00\x01\x45", pikvm.MediaH264, true, ok, true},
		"picture":                {"\x01\x00\xff\xd8\xff", pikvm.MediaJPEG, false, ok, true},
		"picture, pure":          {"\xff\xd8\xff", pikvm.MediaJPEG, true, ok, true},
		"H.264 for a picture":    {"\x01\x01\x00\x00\x01\x65", pikvm.MediaJPEG, false, bad, false},
	} {
		f, is, err := pikvm.DecodeFrame([]byte(tc.message), tc.format, tc.pure)
		got := other
		switch {
		case err != nil:
			got = bad
		case is:
			got = ok
		}
		if got != tc.want || is && f.Key != tc.key {
			t.Errorf("%s: %s, key %v; want %s, key %v", name, got, f.Key, tc.want, tc.key)
		}
	}
	for text, want := range map[string]string{
		`{"event_type": "media", "event": {"video": {"jpeg": {}}}}`: "jpeg",
		`{"event_type": "media", "event": {"video": {}}}`:           "nothing",
		`{"event_type": "later", "event": {}}`:                      other,
		`{"event_type": "media", "event": {}}`:                      bad,
		`{"event_type": "media", "event": null}`:                    bad,
		`{"event_type": "media"}`:                                   bad,
		`{"event_type": "media", "event": {"video": {"h264": 1}}}`:  bad,
		`[]`: bad, ``: bad,
	} {
		state, err := pikvm.DecodeAnnouncement([]byte(text))
		got := other
		switch {
		case err != nil:
			got = bad
		case state != nil && state.JPEG:
			got = "jpeg"
		case state != nil:
			got = "nothing"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestFrameBuffer checks what a slow reader gets, frame by frame: a letter is a frame, a capital one a key frame, and < takes
// one. The numbers are how many are missing before a frame.
func TestFrameBuffer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		format pikvm.MediaFormat
		frames string
		want   string
		lost   uint64
	}{
		"in time":                    {pikvm.MediaH264, "A<b<c<D<", "AbcD", 0},
		"before the first key frame": {pikvm.MediaH264, "abC<d<", "Cd", 0},
		"all are kept":               {pikvm.MediaH264, "Abcd<<<<", "Abcd", 0},
		"up to the next key frame":   {pikvm.MediaH264, "AbcdefgH<i<", "7Hi", 7},
		"read between":               {pikvm.MediaH264, "Abcd<efghIj<<", "A7Ij", 7},
		"pushed out by a key frame":  {pikvm.MediaH264, "AbcdE<f<", "4Ef", 4},
		"twice":                      {pikvm.MediaH264, "AbcdEfghIj<<", "8Ij", 8},
		"oldest picture":             {pikvm.MediaJPEG, "ABCDEF<G<<<<", "2CDEFG", 2},
		"pictures, read between":     {pikvm.MediaJPEG, "ABCDE<FG<<<<", "1B1DEFG", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := pikvm.NewFrameBuffer(4, tc.format)
			var got strings.Builder
			for _, c := range []byte(tc.frames) {
				if c != '<' {
					b.Put(pikvm.MediaFrame{Data: []byte{c}, Key: c < 'a'})
					continue
				}
				f, ok := b.Poll()
				if !ok {
					continue
				}
				if f.Lost > 0 {
					got.WriteByte(byte('0' + f.Lost))
				}
				got.Write(f.Data)
			}
			if _, _, lost := b.Held(); got.String() != tc.want || lost != tc.lost {
				t.Errorf("got %s, %d lost; want %s, %d", &got, lost, tc.want, tc.lost)
			}
		})
	}
	b := pikvm.NewFrameBuffer(1000, pikvm.MediaH264)
	for i := range 100 { // memory is bounded, too
		b.Put(pikvm.MediaFrame{Key: i%10 == 0, Data: make([]byte, 1<<20)})
		if bytes, frames, _ := b.Held(); bytes > 16<<20 || bytes != frames<<20 {
			t.Fatalf("%d frames of %d bytes are kept", frames, bytes)
		}
	}
}

// FuzzMediaFrame checks that no message upsets the decoder, and that what it takes is part of the message.
func FuzzMediaFrame(f *testing.F) {
	for _, r := range mediaRecordings(f) {
		for _, text := range r.Frames {
			if message, err := hex.DecodeString(text); err == nil {
				f.Add(message, strings.HasPrefix(r.Media, "pure"), false)
			}
			f.Add([]byte(text), false, false)
		}
	}
	f.Add([]byte("\xff\xd8\xff"), true, true)
	f.Fuzz(func(t *testing.T, message []byte, pure, picture bool) {
		format := pikvm.MediaH264
		if picture {
			format = pikvm.MediaJPEG
		}
		frame, ok, err := pikvm.DecodeFrame(message, format, pure)
		switch {
		case ok && (err != nil || !bytes.HasSuffix(message, frame.Data) || len(frame.Data) < 2):
			t.Errorf("frame %+v, %v", frame, err)
		case pure && !ok && err == nil:
			t.Error("neither a frame nor an error")
		}
		if state, err := pikvm.DecodeAnnouncement(message); err == nil && state != nil && !json.Valid(state.Raw) {
			t.Errorf("state is %s", state.Raw)
		}
	})
}
