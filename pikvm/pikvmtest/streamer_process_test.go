package pikvmtest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// TestStreamerItself asks the streamer behind the web server: a page of that while it is stopped, its own answers while it
// runs, with a signal and without one.
func TestStreamerItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Text: "hello"}})
		for _, path := range []string{"state", "snapshot", "stream", "other"} {
			if a := k.do("GET", "/streamer/"+path); a.Status != 502 || a.ContentType != html {
				t.Errorf("stopped, %s: %d %s", path, a.Status, a.ContentType)
			}
		}
		k.listen("?stream=1")
		if err := k.WaitStreamer(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		for _, online := range []string{"true", "false"} {
			k.SetSignal(online == "true")
			a := k.do("GET", "/streamer/snapshot")
			if a.Status != 200 || a.ContentType != "image/jpeg" || !strings.HasPrefix(a.Body, "\xff\xd8") ||
				a.Header.Get("X-UStreamer-Online") != online || a.Header.Get("X-UStreamer-Width") != "1920" {
				t.Errorf("snapshot: %d %v", a.Status, a.Header)
			}
			if a := k.do("GET", "/streamer/state"); a.Status != 200 || !strings.Contains(a.Body, `"online": `+online) {
				t.Errorf("state: %d %s", a.Status, a.Body)
			}
		}
		if a := k.do("GET", "/streamer/other"); a.Status != 404 {
			t.Errorf("unknown: %d", a.Status)
		}
		k.do("POST", "/api/streamer/reset")
		if a := k.do("GET", "/streamer/snapshot"); a.Status != 502 {
			t.Errorf("in a restart: %d", a.Status)
		}
		time.Sleep(2 * time.Second)
		if a := k.do("GET", "/streamer/snapshot"); a.Status != 200 {
			t.Errorf("after a restart: %d", a.Status)
		}
	})
}
