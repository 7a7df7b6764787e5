package pikvmtest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Times of the streamer.
const (
	streamerStart  = 500 * time.Millisecond // until there is a picture
	streamerLinger = 10 * time.Second       // after the last viewer has left
	streamerApply  = time.Second            // from the last setting until a restart
	streamerPause  = time.Second            // without a streamer, in a restart
)

// streamer is the video.
type streamer struct {
	server  *Server
	opts    StreamerOptions
	version version
	sched   *scheduler
	hub     *hub
	album   album

	mu      sync.Mutex
	viewers int
	running bool
	offline bool // no signal
	text    string
	params  map[string]any
	applied map[string]any
	saved   *picture
	next    *job // start, stop or restart that is to come
	streams map[string]string
	seq     int
	changed notifier
}

func newStreamer(s *Server) *streamer {
	v := &streamer{
		server: s, opts: s.opts.Streamer, version: s.version, sched: s.sched, hub: s.hub,
		offline: s.opts.Streamer.NoSignal, text: s.opts.Streamer.Text, running: s.opts.Streamer.Forever,
		params: map[string]any{"desired_fps": 30}, streams: make(map[string]string),
	}
	if !v.opts.NoQuality {
		v.params["quality"] = 80
	}
	if !v.opts.NoH264 {
		v.params["h264_bitrate"], v.params["h264_gop"] = 5000, 30
	}
	if len(v.opts.Resolutions) > 0 {
		v.params["resolution"] = v.opts.Resolutions[0]
	}
	v.applied = maps.Clone(v.params)
	return v
}

func (v *streamer) routes(k *router) {
	k.add(http.MethodGet, "/streamer", func(c *call) error {
		v.mu.Lock()
		state := v.state()
		v.mu.Unlock()
		return c.ok(state)
	})
	k.add(http.MethodPost, "/streamer/set_params", v.setParams)
	k.add(http.MethodPost, "/streamer/reset", func(c *call) error {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.restart()
		return c.ok(nil)
	})
	k.add(http.MethodGet, "/streamer/snapshot", v.snapshot)
	k.add(http.MethodDelete, "/streamer/snapshot", func(c *call) error {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.saved = nil // and nobody hears of it
		return c.ok(nil)
	})
}

func (v *streamer) announce() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hub.broadcast(event{"streamer", v.state()})
}

// state and all below up to setParams are called with mu held.
func (v *streamer) state() map[string]any {
	limits := map[string]any{"desired_fps": bounds(0, 90)}
	if !v.opts.NoH264 {
		limits["h264_bitrate"], limits["h264_gop"] = bounds(25, 20000), bounds(0, 60)
	}
	if len(v.opts.Resolutions) > 0 {
		limits["available_resolutions"] = v.opts.Resolutions
	}
	state := map[string]any{
		"features": map[string]bool{
			"quality": !v.opts.NoQuality, "resolution": len(v.opts.Resolutions) > 0, "h264": !v.opts.NoH264,
		},
		"limits": limits, "params": maps.Clone(v.params), "snapshot": v.savedState(), "streamer": v.process(),
	}
	if v.version.atLeast(4, 126) {
		state["applied"] = maps.Clone(v.applied)
	}
	return state
}

func bounds(low, high int) map[string]int { return map[string]int{"min": low, "max": high} }

func (v *streamer) savedState() map[string]any {
	if v.saved == nil {
		return map[string]any{"saved": nil}
	}
	return map[string]any{"saved": map[string]any{
		"online": v.saved.online, "width": v.saved.width, "height": v.saved.height,
	}}
}

// process is what the running streamer tells of itself, nil for none.
func (v *streamer) process() any {
	if !v.running {
		return nil
	}
	width, height := v.size()
	fps, quality := v.applied["desired_fps"], v.applied["quality"]
	if quality == nil {
		quality = 0
	}
	captured := fps
	if v.offline {
		captured = 0
	}
	stats := make(map[string]any, len(v.streams))
	for id, key := range v.streams {
		stats[id] = map[string]any{
			"fps": fps, "key": key, "extra_headers": true, "advance_headers": false, "dual_final_frames": false, "zero_data": false,
		}
	}
	process := map[string]any{
		"instance_id": "", "encoder": map[string]any{"type": "M2M-IMAGE", "quality": quality},
		"sinks": map[string]any{"jpeg": map[string]bool{"has_clients": false}},
		"source": map[string]any{
			"resolution": map[string]int{"width": width, "height": height}, "online": !v.offline,
			"desired_fps": fps, "captured_fps": captured,
		},
		"stream": map[string]any{"queued_fps": 0, "clients": len(v.streams), "clients_stat": stats},
	}
	if !v.opts.NoH264 {
		process["h264"] = map[string]any{
			"bitrate": v.applied["h264_bitrate"], "gop": v.applied["h264_gop"], "fps": fps, "online": !v.offline,
		}
		process["sinks"].(map[string]any)["h264"] = map[string]bool{"has_clients": true}
	}
	return process
}

// size is that of the screen.
func (v *streamer) size() (width, height int) {
	if text, ok := v.applied["resolution"].(string); ok {
		if _, err := fmt.Sscanf(text, "%dx%d", &width, &height); err == nil {
			return width, height
		}
	}
	return 1920, 1080
}

// publish tells a part of the state. Devices before 4.21 send everything every time.
func (v *streamer) publish(part map[string]any) {
	if !v.version.atLeast(4, 21) {
		part = v.state()
	}
	v.hub.broadcast(event{"streamer", part})
	v.changed.wake()
}

// run starts or stops the streamer.
func (v *streamer) run(on bool) {
	v.running = on
	v.applied = maps.Clone(v.params)
	part := map[string]any{"streamer": v.process()}
	if v.version.atLeast(4, 126) {
		part["applied"] = maps.Clone(v.applied)
	}
	v.publish(part)
}

// after lets f follow in d, instead of what was to come.
func (v *streamer) after(d time.Duration, f func()) {
	v.sched.cancel(v.next)
	var j *job
	j = v.sched.after(d, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		if !v.sched.cancelled(j) {
			f()
		}
	})
	v.next = j
}

// watch follows the number of event sockets that watch. It is called without mu.
func (v *streamer) watch(viewers int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	before := v.viewers
	v.viewers = viewers
	switch {
	case v.opts.Forever:
	case viewers > 0 && before == 0:
		if v.running {
			v.sched.cancel(v.next)
			return
		}
		v.after(streamerStart, func() { v.run(true) })
	case viewers == 0 && before > 0:
		v.after(streamerLinger, func() { v.run(false) })
	}
}

// restart stops the streamer, and starts it again if it ran.
func (v *streamer) restart() {
	if !v.running {
		v.applied = maps.Clone(v.params)
		if v.version.atLeast(4, 126) {
			v.publish(map[string]any{"applied": maps.Clone(v.applied)})
		}
		return
	}
	v.run(false)
	v.after(streamerPause, func() {
		if v.viewers > 0 || v.opts.Forever {
			v.run(true)
		}
	})
}

// setParams takes the parameters one by one: what comes before a refusal is set.
func (v *streamer) setParams(c *call) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	before := maps.Clone(v.params)
	err := v.take(c)
	if !maps.Equal(before, v.params) {
		v.publish(map[string]any{"params": maps.Clone(v.params)})
		v.after(streamerApply, v.restart)
	}
	if err != nil {
		return err
	}
	return c.ok(nil)
}

var (
	errNoQuality    = &apiError{http.StatusBadRequest, "StreamerQualityNotSupported", "This streamer does not support quality settings"}
	errNoResolution = &apiError{http.StatusBadRequest, "StreamerResolutionNotSupported", "This streamer does not support resolution settings"}
	errNoH264       = &apiError{http.StatusBadRequest, "StreamerH264NotSupported", "This streamer does not support H264"}
)

// take is called with mu held.
func (v *streamer) take(c *call) error {
	for _, p := range []struct {
		name, shown string
		low, high   int64
		limit       int64 // above which the device overlooks it
		missing     error
	}{
		{"quality", "stream quality", 1, 100, 100, errNoQuality},
		{"desired_fps", "stream FPS", 0, 120, 90, nil},
		{"resolution", "stream resolution", 0, 0, 0, errNoResolution},
		{"h264_bitrate", "stream H264 bitrate", 25, 20000, 20000, errNoH264},
		{"h264_gop", "stream H264 GOP", 0, 60, 60, errNoH264},
	} {
		a := c.arg(p.name)
		if a.value == "" {
			continue
		}
		if _, ok := v.params[p.name]; !ok {
			return p.missing
		}
		if p.name == "resolution" {
			size, err := a.resolution(p.shown)
			if err != nil {
				return err
			}
			if slices.Contains(v.opts.Resolutions, size) {
				v.params[p.name] = size
			}
			continue
		}
		n, err := a.intTo(p.shown, p.low, p.high)
		if err != nil {
			return err
		}
		if n <= p.limit {
			v.params[p.name] = int(n)
		}
	}
	return nil
}

// intTo is int with an upper bound.
func (a arg) intTo(name string, low, high int64) (int64, error) {
	n, err := a.int(name, low)
	if err == nil && n > high {
		return 0, invalid("The argument '%d' must be %s and lesser or equal then %d", n, name, high)
	}
	return n, err
}

func (a arg) resolution(name string) (string, error) {
	s, err := a.text(name, rawShort)
	if err != nil {
		return "", err
	}
	width, height, ok := strings.Cut(s, "x")
	for _, side := range []string{width, height} {
		if n, err := strconv.ParseUint(side, 10, 16); err != nil || n == 0 {
			ok = false
		}
	}
	if !ok {
		return "", invalid("The argument %s is not a valid %s", pyRepr(s), name)
	}
	return s, nil
}
