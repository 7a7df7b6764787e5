package pikvmtest_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// noVideoSettings is the streamer of the second recorded device.
var noVideoSettings = pikvmtest.StreamerOptions{NoQuality: true, NoH264: true, Resolutions: []string{"1280x720", "640x480"}}

// TestRecordedStreamer goes through the recorded session with the video again: snapshots, previews, text, settings, no
// signal, and a reset.
func TestRecordedStreamer(t *testing.T) {
	raw, err := os.ReadFile("../testdata/exchanges.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []exchange
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		k := &replayed{kvm: startInMemory(t, &pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Forever: true}})}
		k.want(k.do("POST", "/api/streamer/set_params?quality=50&desired_fps=10&h264_bitrate=2000&h264_gop=10"), 200, "", "")
		time.Sleep(5 * time.Second)
		step := 0
		for _, e := range all {
			if e.Name != "" || e.Config != "default" || !strings.HasPrefix(e.Path, "/api/streamer") {
				continue
			}
			switch {
			case strings.Contains(e.Path, "set_params"):
				time.Sleep(3 * time.Second)
			case e.Status == 503:
				k.SetSignal(false)
			case e.ContentType == "text/plain":
				var text string
				if err := json.Unmarshal(e.Body, &text); err != nil {
					t.Fatal(err)
				}
				k.SetScreenText(text)
			}
			got := k.do(e.Method, e.Path)
			if e.Binary {
				online := got.Header.Get("X-UStreamer-Online") + " " + got.Header.Get("X-UStreamer-Width")
				if got.Status != e.Status || got.ContentType != e.ContentType || online != e.Headers["x-ustreamer-online"]+" 1920" {
					t.Errorf("%s: %d %s %s", e.Path, got.Status, got.ContentType, online)
				}
			} else {
				k.compare(e, got)
			}
			step++
		}
		if step != 16 {
			t.Errorf("replayed %d exchanges, want 16", step)
		}
	})
}
