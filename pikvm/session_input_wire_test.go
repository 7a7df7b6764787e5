package pikvm_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// inputCalls are one call of each sort, with the frames that the newest form of the socket needs.
var inputCalls = []struct {
	name                         string
	call                         func(ctx context.Context, s *pikvm.Session) error
	binary, text, textUnfinished string // frames, in hex if binary
}{
	{
		"press", func(ctx context.Context, s *pikvm.Session) error { return s.Key(ctx, pikvm.KeyA, pikvm.Press) },
		"01014b657941", `{"event":{"key":"KeyA","state":true},"event_type":"key"}`, "",
	},
	{
		"release", func(ctx context.Context, s *pikvm.Session) error { return s.Key(ctx, pikvm.KeyA, pikvm.Release) },
		"01004b657941", `{"event":{"key":"KeyA","state":false},"event_type":"key"}`, "",
	},
	{
		"tap", func(ctx context.Context, s *pikvm.Session) error { return s.Key(ctx, pikvm.KeyF1, pikvm.Tap) },
		"01034631", `{"event":{"finish":true,"key":"F1","state":true},"event_type":"key"}`,
		`{"event":{"key":"F1","state":true},"event_type":"key"} {"event":{"key":"F1","state":false},"event_type":"key"}`,
	},
	{
		"tap of a modifier", func(ctx context.Context, s *pikvm.Session) error { return s.Key(ctx, pikvm.KeyAltLeft, pikvm.Tap) },
		"0101416c744c656674 0100416c744c656674",
		`{"event":{"key":"AltLeft","state":true},"event_type":"key"} {"event":{"key":"AltLeft","state":false},"event_type":"key"}`, "",
	},
	{
		"longest name",
		func(ctx context.Context, s *pikvm.Session) error {
			return s.Key(ctx, pikvm.KeyAudioVolumeDown, pikvm.Release)
		},
		"0100417564696f566f6c756d65446f776e", `{"event":{"key":"AudioVolumeDown","state":false},"event_type":"key"}`, "",
	},
	{
		"click", func(ctx context.Context, s *pikvm.Session) error { return s.Button(ctx, pikvm.MouseUp, pikvm.Tap) },
		"02017570 02007570",
		`{"event":{"button":"up","state":true},"event_type":"mouse_button"} {"event":{"button":"up","state":false},"event_type":"mouse_button"}`, "",
	},
	{
		"middle", func(ctx context.Context, s *pikvm.Session) error { return s.MoveTo(ctx, 0, 0) },
		"0300000000", `{"event":{"to":{"x":0,"y":0}},"event_type":"mouse_move"}`, "",
	},
	{
		"edges", func(ctx context.Context, s *pikvm.Session) error { return s.MoveTo(ctx, -32768, 32767) },
		"0380007fff", `{"event":{"to":{"x":-32768,"y":32767}},"event_type":"mouse_move"}`, "",
	},
	{
		"step", func(ctx context.Context, s *pikvm.Session) error { return s.MoveBy(ctx, -127, 127) },
		"0400817f", `{"event":{"delta":[{"x":-127,"y":127}]},"event_type":"mouse_relative"}`, "",
	},
	{
		"wheel", func(ctx context.Context, s *pikvm.Session) error { return s.Wheel(ctx, 0, -5) },
		"050000fb", `{"event":{"delta":[{"x":0,"y":-5}]},"event_type":"mouse_wheel"}`, "",
	},
	{
		"squashed wheel",
		func(ctx context.Context, s *pikvm.Session) error {
			return s.WheelAll(ctx, []pikvm.MouseStep{{X: 0, Y: -5}, {X: 0, Y: -5}}, true)
		},
		"050100fb00fb", `{"event":{"delta":[{"x":0,"y":-5},{"x":0,"y":-5}],"squash":true},"event_type":"mouse_wheel"}`, "",
	},
	{
		"steps",
		func(ctx context.Context, s *pikvm.Session) error {
			return s.MoveByAll(ctx, []pikvm.MouseStep{{X: 1, Y: 2}, {X: -1, Y: 0}}, false)
		},
		"04000102ff00", `{"event":{"delta":[{"x":1,"y":2},{"x":-1,"y":0}]},"event_type":"mouse_relative"}`, "",
	},
	{
		"no steps", func(ctx context.Context, s *pikvm.Session) error { return s.MoveByAll(ctx, nil, true) },
		"", "", "",
	},
}

// TestSessionInputFrames: what goes over the wire, in the form that the device understands.
func TestSessionInputFrames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, loop         string
		opts               pikvm.EventOptions
		binary, unfinished bool
	}{
		{name: "4.197", loop: `{"major":4,"minor":197}`, binary: true},
		{name: "4.53", loop: `{"major":4,"minor":53}`, binary: true},
		{name: "4.53 as text", loop: `{"major":4,"minor":53}`, opts: pikvm.EventOptions{TextInput: true}},
		{name: "4.52", loop: `{"major":4,"minor":52}`},
		{name: "4.33", loop: `{"major":4,"minor":33}`},
		{name: "4.32", loop: `{"major":4,"minor":32}`, unfinished: true},
		{name: "unknown version", loop: `null`, unfinished: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, frames := recordInput(t, tc.loop, &tc.opts)
				for _, c := range inputCalls {
					if err := c.call(t.Context(), s); err != nil {
						t.Fatalf("%s: %v", c.name, err)
					}
					want := c.text
					switch {
					case tc.binary:
						want = c.binary
					case tc.unfinished && c.textUnfinished != "":
						want = c.textUnfinished
					}
					synctest.Wait()
					if d := cmp.Diff(want, strings.Join(*frames, " ")); d != "" {
						t.Errorf("%s (-want +got):\n%s", c.name, d)
					}
					*frames = nil
				}
			})
		})
	}
}

// TestSessionSplitsSteps: many steps go out in frames of a bounded size, none is lost.
func TestSessionSplitsSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, frames := recordInput(t, `{"major":4,"minor":197}`, nil)
		if err := s.WheelAll(t.Context(), make([]pikvm.MouseStep, 2500), false); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var sizes []int
		for _, f := range *frames {
			sizes = append(sizes, (len(f)/2-2)/2)
		}
		if d := cmp.Diff([]int{1024, 1024, 452}, sizes); d != "" {
			t.Errorf("steps per frame (-want +got):\n%s", d)
		}
	})
}

// recordInput opens a session with a device that says what version it has and notes what it gets. The notes are to be
// looked at when all is quiet.
func recordInput(t *testing.T, version string, opts *pikvm.EventOptions) (*pikvm.Session, *[]string) {
	t.Helper()
	network := netem.New(nil)
	frames := new([]string)
	serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
		conn, err := wsconn.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.CloseNow() }()
		if err := conn.Write(wsconn.Text, []byte(`{"event_type":"loop","event":{"version":`+version+`}}`)); err != nil {
			t.Error(err)
		}
		for {
			typ, p, err := conn.Read(nil)
			if err != nil {
				return
			}
			if typ == wsconn.Text {
				*frames = append(*frames, string(p))
			} else {
				*frames = append(*frames, fmt.Sprintf("%x", p))
			}
		}
	})
	s, err := newClient(t, kvmHTTP, on(network, pikvm.Options{})).Events(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Wait(within(t, time.Minute), func(s *pikvm.State) bool { return s.Raw(pikvm.EventLoop) != nil }); err != nil {
		t.Fatal(err)
	}
	return s, frames
}
