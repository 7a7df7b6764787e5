package pikvm_test

import (
	"context"
	"errors"
	"image"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// openMedia opens a stream that the test closes at its end.
func (f *fake) openMedia(t *testing.T, opts *pikvm.MediaOptions) *pikvm.MediaStream {
	t.Helper()
	s, err := f.client.Media.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// nextFrame returns the next frame, which must come within a minute.
func nextFrame(t *testing.T, s *pikvm.MediaStream) pikvm.MediaFrame {
	t.Helper()
	f, err := s.Next(within(t, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// frameNumber returns the number that a frame of the fake holds.
func frameNumber(f pikvm.MediaFrame) int { return int(f.Data[len(f.Data)-1]) }

// TestMediaState asks devices what they offer.
func TestMediaState(t *testing.T) {
	t.Parallel()
	h264 := &pikvm.MediaH264Info{ProfileLevelID: "42E01F"}
	for name, tc := range map[string]struct {
		device pikvmtest.Options
		want   pikvm.MediaState
	}{
		"H.264":    {pikvmtest.Options{}, pikvm.MediaState{H264: h264}},
		"both":     {pikvmtest.Options{Media: pikvmtest.MediaOptions{JPEG: true}}, pikvm.MediaState{H264: h264, JPEG: true}},
		"no H.264": {pikvmtest.Options{Streamer: pikvmtest.StreamerOptions{NoH264: true}}, pikvm.MediaState{}},
	} {
		inBubble(t, &tc.device, nil, func(t *testing.T, f *fake) {
			got, err := f.client.Media.State(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			raw := cmpopts.IgnoreFields(pikvm.MediaState{}, "Raw")
			if d := cmp.Diff(&tc.want, got, raw); d != "" || len(got.Raw) == 0 {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
			s := f.openMediaOr(t, got)
			if s != nil {
				if d := cmp.Diff(got, s.State(), raw); d != "" {
					t.Errorf("%s announces (-want +got):\n%s", name, d)
				}
			}
			f.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultAnswer, Path: "/api/media", Body: []byte(okEmpty)})
			if _, err := f.client.Media.State(t.Context()); !errors.Is(err, pikvm.ErrResponse) {
				t.Errorf("%s: another shape: %v", name, err)
			}
		})
	}
}

// openMediaOr opens a stream if the device has H.264, and checks the refusal otherwise.
func (f *fake) openMediaOr(t *testing.T, state *pikvm.MediaState) *pikvm.MediaStream {
	t.Helper()
	if state.H264 != nil {
		return f.openMedia(t, nil)
	}
	_, err := f.client.Media.Open(t.Context(), nil)
	failure{Type: "APIError", Class: pikvm.ErrNotSupported, Kinds: errkit.Unsupported}.check(t, err)
	_, err = f.client.Media.Open(t.Context(), &pikvm.MediaOptions{Pure: true})
	failure{Type: "APIError", Class: pikvm.ErrInvalidArgument, Kinds: errkit.Invalid, Status: 400}.check(t, err)
	return nil
}

// TestMediaFramesOf a device that nobody watched, in both formats and modes.
func TestMediaFramesOf(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]pikvm.MediaOptions{
		"H.264":       {Watch: true},
		"H.264, pure": {Watch: true, Pure: true},
		"JPEG":        {Watch: true, Format: pikvm.MediaJPEG},
		"JPEG, pure":  {Watch: true, Format: pikvm.MediaJPEG, Pure: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, &pikvmtest.Options{Media: pikvmtest.MediaOptions{JPEG: true}}, nil, func(t *testing.T, f *fake) {
				s := f.openMedia(t, &opts)
				if (s.State() == nil) != opts.Pure {
					t.Errorf("state is %+v", s.State())
				}
				n := 0
				for frame, err := range s.Frames(within(t, time.Minute)) {
					if err != nil {
						t.Fatal(err)
					}
					if opts.Format == pikvm.MediaJPEG {
						if !frame.Key || sizeOf(t, frame.Data) != image.Pt(384, 216) {
							t.Errorf("frame %d is %+v", n, frame)
						}
					} else if wantKey := n == 0 || frameNumber(frame)%30 == 1; frame.Key != wantKey || frameNumber(frame) != n+1 {
						t.Errorf("frame %d is %d, key %v", n, frameNumber(frame), frame.Key)
					}
					if frame.Lost != 0 || !frame.Time.Equal(time.Now()) {
						t.Errorf("frame %d: %d lost, from %v", n, frame.Lost, frame.Time)
					}
					if n++; n == 40 {
						break
					}
				}
				if stats := s.Stats(); stats.Frames != 40 || stats.Bytes == 0 || stats.Lost+stats.Malformed != 0 {
					t.Errorf("stats are %+v", stats)
				}
				if took, err := s.Ping(t.Context()); err != nil || took != 0 {
					t.Errorf("ping: %v, %v", took, err)
				}
				if err := s.Close(); err != nil || s.Err() != nil {
					t.Errorf("%v, %v", err, s.Err())
				}
				if err := f.WaitMediaClients(within(t, time.Second), 0); err != nil {
					t.Error("the media socket is left")
				}
				f.leftAlone(t)
			})
		})
	}
}

// TestMediaWithoutViewer: nothing comes and that is no failure, however long it takes, and the connection is kept up.
func TestMediaWithoutViewer(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, nil, func(t *testing.T, f *fake) {
		s := f.openMedia(t, nil)
		_, err := s.Next(within(t, 3*time.Minute))
		failure{Type: "ConnectionTimeoutError", Class: pikvm.ErrConnectionTimeout, Kinds: errkit.Timeout}.check(t, err)
		_, err = s.Next(canceled(t))
		failure{Type: "Basic", Class: pikvm.Err, Kinds: errkit.Canceled}.check(t, err)
		if f.sockets() != 0 || s.Err() != nil {
			t.Errorf("%d sockets, error %v", f.sockets(), s.Err())
		}
		f.open(t, &pikvm.EventOptions{Stream: true})
		if first := nextFrame(t, s); !first.Key || first.Lost != 0 {
			t.Errorf("first frame is %+v", first)
		}
	})
}

// TestMediaKeyFrames come when they are asked for.
func TestMediaKeyFrames(t *testing.T) {
	t.Parallel()
	for _, pure := range []bool{false, true} {
		inBubble(t, watched(""), nil, func(t *testing.T, f *fake) {
			s := f.openMedia(t, &pikvm.MediaOptions{Pure: pure})
			for nextFrame(t, s); frameNumber(nextFrame(t, s)) < 10; {
			}
			if err := s.RequestKeyFrame(); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if frame := nextFrame(t, s); frame.Key {
					return
				}
			}
			t.Errorf("pure %v: no key frame", pure)
		})
	}
}

// TestMediaSlowReader: the device goes on sending, memory is bounded, and the reader goes on with a key frame and knows what
// it has missed.
func TestMediaSlowReader(t *testing.T) {
	t.Parallel()
	for _, format := range []pikvm.MediaFormat{pikvm.MediaH264, pikvm.MediaJPEG} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			device := watched("x")
			device.Media.JPEG = true
			inBubble(t, device, nil, func(t *testing.T, f *fake) {
				s := f.openMedia(t, &pikvm.MediaOptions{Format: format, Buffer: 20})
				nextFrame(t, s)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				var lost, read uint64
				last := 0
				for read < 60 {
					frame := nextFrame(t, s)
					read++
					lost += frame.Lost
					if frame.Lost > 0 && !frame.Key {
						t.Errorf("after %d lost frames comes one that builds on them", frame.Lost)
					}
					if n := frameNumber(frame); format == pikvm.MediaH264 {
						if last != 0 && n != (last+int(frame.Lost))%255+1 {
							t.Errorf("after frame %d and %d lost ones comes %d", last, frame.Lost, n)
						}
						last = n
					}
				}
				stats := s.Stats()
				if lost < 200 || stats.Lost != lost || stats.Frames < 1+read+lost {
					t.Errorf("read %d, lost %d, stats %+v", read, lost, stats)
				}
			})
		})
	}
}

// TestMediaAsksForKeyFrame: after a loss the reader need not wait for the next key frame of the device's own accord.
func TestMediaAsksForKeyFrame(t *testing.T) {
	t.Parallel()
	inBubble(t, watched(""), nil, func(t *testing.T, f *fake) {
		rare := 60
		if _, err := f.client.Streamer.Apply(t.Context(), &pikvm.StreamerParams{H264GOP: &rare}, nil); err != nil {
			t.Fatal(err)
		}
		s := f.openMedia(t, &pikvm.MediaOptions{Buffer: 10})
		first := frameNumber(nextFrame(t, s))
		time.Sleep(time.Second / 2)
		for {
			frame := nextFrame(t, s)
			if frame.Lost == 0 {
				continue
			}
			if n := frameNumber(frame); !frame.Key || n > first+15 {
				t.Errorf("goes on with frame %d after the begin with %d", n, first)
			}
			return
		}
	})
}

// TestMediaSlowNetwork: what the device gives up is not the reader's loss, and the stream still holds only what can be shown.
func TestMediaSlowNetwork(t *testing.T) {
	t.Parallel()
	device := watched("")
	device.Media.FrameSize = 4000
	inBubble(t, device, nil, func(t *testing.T, f *fake) {
		s := f.openMedia(t, nil)
		nextFrame(t, s)
		time.AfterFunc(8*time.Second, f.SilenceMedia())
		last, gaps := 1, 0
		for range 120 {
			frame := nextFrame(t, s)
			if n := frameNumber(frame); n != last%255+1 {
				if gaps++; !frame.Key {
					t.Errorf("after frame %d comes %d", last, n)
				}
			}
			last = frameNumber(frame)
		}
		if stats := s.Stats(); stats.Lost != 0 || gaps == 0 {
			t.Errorf("%d gaps, stats are %+v", gaps, stats)
		}
	})
}

// TestMediaMalformed: what makes no sense is counted and overlooked.
func TestMediaMalformed(t *testing.T) {
	t.Parallel()
	inBubble(t, watched(""), nil, func(t *testing.T, f *fake) {
		s := f.openMedia(t, nil)
		nextFrame(t, s)
		for _, message := range []string{"\x01", "\x01\x01no start code", "\x02new", ""} {
			f.EmitMedia(true, []byte(message))
		}
		for _, message := range []string{"{", "null", `{"event_type":"media","event":{"video":{}}}`} {
			f.EmitMedia(false, []byte(message))
		}
		for range 10 {
			nextFrame(t, s)
		}
		if stats := s.Stats(); stats.Malformed != 2 || s.Err() != nil {
			t.Errorf("stats are %+v, error %v", stats, s.Err())
		}
	})
}

// TestMediaCloses: by its owner or with the client, in a loop and out of it; nothing is left.
func TestMediaCloses(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(f *fake, s *pikvm.MediaStream) error{
		"stream": func(_ *fake, s *pikvm.MediaStream) error { return s.Close() },
		"client": func(f *fake, _ *pikvm.MediaStream) error { return f.client.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, nil, nil, func(t *testing.T, f *fake) {
				s := f.openMedia(t, &pikvm.MediaOptions{Watch: true})
				n := 0
				for _, err := range s.Frames(t.Context()) {
					if err != nil {
						t.Errorf("frame %d: %v", n, err)
					}
					if n++; n == 5 {
						if err := end(f, s); err != nil {
							t.Error(err)
						}
					}
				}
				<-s.Done()
				_, nextErr := s.Next(t.Context())
				_, pingErr := s.Ping(t.Context())
				for name, err := range map[string]error{"Next": nextErr, "Ping": pingErr, "RequestKeyFrame": s.RequestKeyFrame()} {
					if !errors.Is(err, pikvm.ErrClosed) {
						t.Errorf("%s: %v", name, err)
					}
				}
				if n != 5 || s.Err() != nil || s.Close() != nil {
					t.Errorf("%d frames, error %v", n, s.Err())
				}
				f.leftAlone(t)
				if err := f.WaitMediaClients(within(t, time.Second), 0); err != nil {
					t.Error("the device still has the socket")
				}
				_ = f.client.Close()
				if _, err := f.client.Media.Open(t.Context(), nil); !errors.Is(err, pikvm.ErrClosed) {
					t.Errorf("opened after Close: %v", err)
				}
			})
		})
	}
	inBubble(t, nil, nil, func(t *testing.T, f *fake) { // a call that waits
		s := f.openMedia(t, nil)
		time.AfterFunc(time.Second, func() { _ = s.Close() })
		if _, err := s.Next(context.Background()); !errors.Is(err, pikvm.ErrClosed) {
			t.Errorf("error %v", err)
		}
	})
}
