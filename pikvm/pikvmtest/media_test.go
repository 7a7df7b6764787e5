package pikvmtest_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

const (
	mediaPath = "/api/media/ws"
	frameTime = time.Second / 30
	startH264 = `{"event_type": "start", "event": {"type": "video", "format": "h264"}}`
)

// runVideo lets the streamer run with a key frame every so many frames.
func (k *kvm) runVideo(gop string) {
	k.t.Helper()
	k.do("POST", "/api/streamer/set_params?h264_gop="+gop)
	k.listen("?stream=1")
	if err := k.WaitStreamer(k.t.Context(), true); err != nil {
		k.t.Fatal(err)
	}
}

// frames returns the binary messages since the last call, in hexadecimal.
func (l *listener) frames() []string {
	var frames []string
	for _, m := range l.take() {
		if m.Type == "binary" {
			frames = append(frames, hex.EncodeToString([]byte(m.Binary)))
		}
	}
	return frames
}

// sleepFrames waits for so many frames.
func sleepFrames(n int) {
	time.Sleep(time.Duration(n) * frameTime)
	synctest.Wait()
}

// TestMediaRecorded replays the recorded media sockets, frame by frame.
func TestMediaRecorded(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/media_ws.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded []struct {
		Media  string
		Frames []string
	}
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	want := make(map[string][]string)
	for _, r := range recorded {
		want[r.Media] = r.Frames
	}
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, nil)
		k.runVideo("5")
		check := func(name string, got []string) {
			t.Helper()
			if d := cmp.Diff(want[name], got); d != "" && len(want[name])+len(got) > 0 {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
		l := k.listenAt(mediaPath)
		synctest.Wait()
		var greeting struct {
			Type  string `json:"event_type"`
			Event any
		}
		if err := json.Unmarshal([]byte(want["regular: greeting"][0]), &greeting); err != nil {
			t.Fatal(err)
		}
		got := l.take()
		if len(got) != 1 || got[0].Type != greeting.Type || !cmp.Equal(got[0].Event, greeting.Event) {
			t.Errorf("greeting is %+v, want %+v", got, greeting)
		}
		l.send(wsconn.Binary, "\x00")
		synctest.Wait()
		check("ping", l.frames())
		l.send(wsconn.Text, strings.Replace(startH264, "h264", "h265", 1))
		time.Sleep(time.Second)
		check("start bad", l.frames())
		l.send(wsconn.Text, startH264)
		sleepFrames(7) // the first one comes at once
		first := l.frames()
		check("start h264", first)
		sleepFrames(1)
		l.send(wsconn.Binary, "\x01")
		sleepFrames(4)
		check("key request", l.frames())
		sleepFrames(1)
		_ = l.conn.CloseNow()
		sleepFrames(3)
		pure := k.listenAt(mediaPath + "?video=h264")
		sleepFrames(9)
		check("pure h264", pure.frames())
		sleepFrames(1)
		_ = pure.conn.CloseNow()
		sleepFrames(3)
		pure = k.listenAt(mediaPath + "?video=h264")
		pure.send(wsconn.Binary, "\x00")
		sleepFrames(2)
		check("pure ping", pure.frames())
	})
}

// TestMediaState checks what the daemon offers, to a request and in the greeting.
func TestMediaState(t *testing.T) {
	t.Parallel()
	const h264, jpeg = `"h264":{"profile_level_id":"42E01F"}`, `"jpeg":{}`
	for name, tc := range map[string]struct {
		opts  pikvmtest.Options
		video string
	}{
		"recorded": {pikvmtest.Options{}, h264},
		"both":     {pikvmtest.Options{Media: pikvmtest.MediaOptions{JPEG: true}}, h264 + "," + jpeg},
		"pictures": {pikvmtest.Options{
			Media: pikvmtest.MediaOptions{JPEG: true}, Streamer: pikvmtest.StreamerOptions{NoH264: true},
		}, jpeg},
		"nothing": {pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{NoH264: true}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := start(t, &tc.opts)
			var body bytes.Buffer
			if err := json.Compact(&body, []byte(k.do("GET", "/api/media").Body)); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(`{"ok":true,"result":{"media":{"video":{`+tc.video+`}}}}`, body.String()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			a := k.do("GET", mediaPath+"?video=h265")
			if a.Status != 400 || !strings.Contains(a.Body, "ValidatorError") || !strings.Contains(a.Body, "Unsupported video type") {
				t.Errorf("h265: %+v", a)
			}
			if a := k.do("GET", mediaPath); a.Status != 400 || strings.Contains(a.Body, "ValidatorError") {
				t.Errorf("no handshake: %+v", a)
			}
			for path, status := range map[string]int{"/api/media/x": 404, "/api/media": 405} {
				method := map[int]string{404: "GET", 405: "POST"}[status]
				if a := k.do(method, path); a.Status != status {
					t.Errorf("%s %s: %d", method, path, a.Status)
				}
			}
		})
	}
}

// TestMediaVersions: the daemon is there since 4.28, and pure mode since 4.110.
func TestMediaVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]int{"4.27": 502, "4.28": 200} {
		if a := start(t, &pikvmtest.Options{Version: version}).do("GET", "/api/media"); a.Status != want {
			t.Errorf("%s: %d, want %d", version, a.Status, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Version: "4.109", Streamer: pikvmtest.StreamerOptions{Forever: true}})
		l := k.listenAt(mediaPath + "?video=h264")
		time.Sleep(time.Second)
		if types := l.types(); !cmp.Equal(types, []string{"media"}) {
			t.Errorf("got %q", types)
		}
	})
}

// TestMediaJPEG: pictures of the screen, in both modes, and none while the streamer is stopped.
func TestMediaJPEG(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Media: pikvmtest.MediaOptions{JPEG: true}})
		regular, pure := k.listenAt(mediaPath), k.listenAt(mediaPath+"?video=jpeg")
		regular.send(wsconn.Text, strings.Replace(startH264, "h264", "jpeg", 1))
		time.Sleep(time.Second)
		synctest.Wait()
		if got := append(regular.frames(), pure.frames()...); len(got) != 0 {
			t.Errorf("%d frames of a stopped streamer", len(got))
		}
		k.runVideo("30")
		sleepFrames(5)
		for name, l := range map[string]*listener{"0101ffd8": regular, "ffd8": pure} {
			frames := l.frames()
			if len(frames) < 4 || !strings.HasPrefix(frames[0], name) {
				t.Errorf("%d frames", len(frames))
			}
		}
	})
}

// TestMediaSlowClient: a client that does not read loses frames, and goes on with a key frame.
func TestMediaSlowClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Media: pikvmtest.MediaOptions{FrameSize: 1000}})
		k.runVideo("10")
		l := k.listenAt(mediaPath + "?video=h264")
		sleepFrames(15)
		resume := k.SilenceMedia() // what stops the daemon from writing
		sleepFrames(300)
		l.take()
		resume()
		sleepFrames(30)
		frames := l.frames()
		lost := 0
		for i, f := range frames[1:] {
			n, before := frameNumber(t, f), frameNumber(t, frames[i])
			if n == before%255+1 {
				continue
			}
			if lost++; !strings.HasPrefix(f, "0000000167") {
				t.Errorf("after a loss comes %.20s", f)
			}
		}
		if lost == 0 {
			t.Errorf("nothing lost in %d frames", len(frames))
		}
	})
}

func frameNumber(t *testing.T, frame string) int {
	t.Helper()
	data, err := hex.DecodeString(frame)
	if err != nil {
		t.Fatal(err)
	}
	return int(data[len(data)-1])
}

// TestMediaEnds: the daemon is stopped and comes back, sockets are dropped, and credentials are checked.
func TestMediaEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := startInMemory(t, &pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{Forever: true}})
		for _, code := range []int{1001, 1000, 0} {
			l := k.listenAt(mediaPath)
			if err := k.WaitMediaClients(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			k.DropMedia(code)
			if got := l.closed(); got != code && (code != 0 || got != 1006) {
				t.Errorf("closed with %d, want %d", got, code)
			}
		}
		l := k.listenAt(mediaPath)
		synctest.Wait()
		k.SetMedia(false)
		if got := l.closed(); got != 1001 || k.MediaClients() != 0 {
			t.Errorf("closed with %d, %d clients", got, k.MediaClients())
		}
		var refused *wsconn.HandshakeError
		if _, err := k.dialPath(mediaPath, nil); !errors.As(err, &refused) || refused.StatusCode != 502 {
			t.Errorf("stopped: %v", err)
		}
		k.SetMedia(true)
		l = k.listenAt(mediaPath)
		synctest.Wait()
		k.EmitMedia(true, []byte("\xfe"))
		synctest.Wait()
		if types := l.types(); !cmp.Equal(types, []string{"media", "binary"}) {
			t.Errorf("got %q", types)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := k.WaitMediaClients(ctx, 7); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	bad := pikvmtest.New(&pikvmtest.Options{Media: pikvmtest.MediaOptions{FrameSize: -1}})
	defer bad.Close()
	if err := bad.Start(); err == nil {
		t.Error("a negative size was taken")
	}
}
