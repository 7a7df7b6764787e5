package pikvm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

const mjpegType = "multipart/x-mixed-replace;boundary=boundarydonotcross"

// framePart is one part of a stream.
func framePart(data string, header ...string) string {
	all := append([]string{"Content-Type: image/jpeg", fmt.Sprintf("Content-Length: %d", len(data)), "X-UStreamer-Online: true"}, header...)
	return "--boundarydonotcross\r\n" + strings.Join(all, "\r\n") + "\r\n\r\n" + data + "\r\n"
}

// TestMJPEGParts checks that it does not matter how a stream arrives, and what is no stream.
func TestMJPEGParts(t *testing.T) {
	t.Parallel()
	const tricky = "\xff\xd8\r\n--boundarydonotcross\r\n\r\n" // a picture that holds the boundary
	whole := framePart("\xff\xd8one", "X-Timestamp: 1.5", "X-UStreamer-Width: 7") + framePart(tricky) + framePart("")
	want := []string{"\xff\xd8one", tricky, ""}
	for name, text := range map[string]string{"at once": whole, "bare newlines": strings.Replace(whole, "Width: 7\r\n\r\n", "Width: 7\n\n", 1)} {
		got, infos, err := pikvm.ReadFrames(strings.NewReader(text), mjpegType, 0)
		slow, _, slowErr := pikvm.ReadFrames(iotest.OneByteReader(strings.NewReader(text)), mjpegType, 0)
		if d := cmp.Diff(want, got) + cmp.Diff(want, slow); d != "" || err == nil || slowErr == nil {
			t.Errorf("%s (-want +got):\n%s%v %v", name, d, err, slowErr)
		}
		if infos[0].Width != 7 || !infos[0].Time.Equal(time.UnixMicro(1500000)) || !infos[1].Time.IsZero() {
			t.Errorf("infos are %+v", infos)
		}
	}
	for name, text := range map[string]string{
		"no length":       "--boundarydonotcross\r\nX-UStreamer-Online: true\r\n\r\n\xff\xd8",
		"negative length": "--boundarydonotcross\r\nContent-Length: -1\r\n\r\n",
		"odd length":      "--boundarydonotcross\r\nContent-Length: 0x10\r\n\r\n",
		"too large":       "--boundarydonotcross\r\nContent-Length: 1001\r\n\r\n" + strings.Repeat("x", 1001),
		"no JPEG":         framePart("\x00\x00\x01\x67"),
		"no online":       strings.Replace(framePart("\xff\xd8"), "X-UStreamer-Online: true\r\n", "", 1),
		"no header":       "--boundarydonotcross\r\nhello\r\n\r\n",
		"endless line":    "--boundarydonotcross\r\nX: " + strings.Repeat("x", 5000),
		"endless header":  "--boundarydonotcross\r\n" + strings.Repeat("X: y\r\n", 100),
		"other boundary":  strings.Replace(framePart("\xff\xd8"), "donot", "dont", 1),
		"cut":             framePart("\xff\xd8one")[:90],
	} {
		got, _, err := pikvm.ReadFrames(strings.NewReader(text), mjpegType, 1000)
		if err == nil || len(got) != 0 {
			t.Errorf("%s: %d frames, %v", name, len(got), err)
		}
	}
	for _, kind := range []string{"", "image/jpeg", "multipart/x-mixed-replace", "multipart/x-mixed-replace;boundary=", "text/html;boundary=x"} {
		if _, _, err := pikvm.ReadFrames(strings.NewReader(whole), kind, 0); err == nil {
			t.Errorf("%q is a stream", kind)
		}
	}
}

// FuzzMJPEG checks that no stream upsets the reader, and that it does not matter how it arrives.
func FuzzMJPEG(f *testing.F) {
	f.Add(framePart("\xff\xd8one") + framePart(""))
	f.Add("--boundarydonotcross\r\nContent-Length: 99999999999\r\n\r\n")
	f.Add("\r\n\r\n--boundarydonotcross")
	f.Fuzz(func(t *testing.T, text string) {
		const limit = 1000
		got, _, err := pikvm.ReadFrames(strings.NewReader(text), mjpegType, limit)
		slow, _, _ := pikvm.ReadFrames(iotest.OneByteReader(strings.NewReader(text)), mjpegType, limit)
		if d := cmp.Diff(got, slow); d != "" || err == nil {
			t.Errorf("byte by byte (-want +got):\n%s%v", d, err)
		}
		for _, frame := range got {
			if len(frame) > limit || len(frame) > 0 && !strings.HasPrefix(frame, "\xff\xd8") {
				t.Errorf("frame %q", frame)
			}
		}
	})
}

// TestFrames watches the screen: pictures as they come, without pictures, the end by the caller and by the device.
func TestFrames(t *testing.T) {
	t.Parallel()
	inBubble(t, watched("hello"), nil, func(t *testing.T, f *fake) {
		ctx, streamer := t.Context(), f.client.Streamer
		n, begin := 0, time.Now()
		for frame, err := range streamer.Frames(ctx, &pikvm.MJPEGOptions{Key: "test"}) {
			if err != nil {
				t.Fatal(err)
			}
			if !frame.Online || frame.Width != 1920 || len(frame.JPEG) == 0 || frame.Time.Before(begin) {
				t.Errorf("frame is %+v", frame.SnapshotInfo)
			}
			if n++; n == 3 {
				process, err := streamer.Process(ctx)
				if err != nil || process.Clients != 1 || !strings.Contains(string(process.Raw), `"test"`) {
					t.Errorf("process is %+v, %v", process, err)
				}
			}
			if n == 300 { // longer than the client's Timeout
				break
			}
		}
		if n != 300 {
			t.Errorf("%d frames", n)
		}
		for frame, err := range streamer.Frames(ctx, &pikvm.MJPEGOptions{HeadersOnly: true}) {
			if err != nil || len(frame.JPEG) != 0 || frame.Height != 1080 {
				t.Errorf("frame is %+v, %v", frame, err)
			}
			break
		}
		last := func(ends error) error {
			var last error
			for _, err := range streamer.Frames(within(t, 5*time.Second), nil) {
				last = err
			}
			if !errors.Is(last, ends) {
				t.Errorf("the stream ends with %v, want %v", last, ends)
			}
			return last
		}
		last(pikvm.ErrConnectionTimeout) // the deadline of the caller
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Body: []byte("{}"), Path: "/streamer/stream", Times: 1})
		last(pikvm.ErrResponse)
		f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultReset, Path: "/streamer/stream", Times: 1})
		last(pikvm.ErrConnect)
		if err := streamer.Reset(ctx); err != nil {
			t.Fatal(err)
		}
		last(errkit.Unavailable) // it does not run for a second
		if err := f.WaitStreamer(within(t, time.Minute), true); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, func() { _ = streamer.Reset(ctx) })
		last(pikvm.ErrResponse) // it stops meanwhile
		time.Sleep(time.Minute)
		if _, err := streamer.Process(ctx); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}
