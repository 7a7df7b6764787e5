package pikvmtest

import (
	"net/http"
	"sync"
	"time"
)

// mediaQueue is how many frames wait for a slow client of the media daemon before it loses them.
const mediaQueue = 32

// media is the media daemon: it hands out what the streamer encodes.
type media struct {
	server *Server
	opts   MediaOptions

	mu      sync.Mutex
	absent  bool
	clients map[*mediaClient]struct{}
	ticking bool
	number  int  // of the last frame, from 1
	keyWish bool // the next frame is to be a key frame
	changed notifier
}

func newMedia(s *Server) *media {
	return &media{
		server: s, opts: s.opts.Media, clients: make(map[*mediaClient]struct{}),
		absent: s.opts.Media.Absent || !s.version.atLeast(4, 28),
	}
}

// serve answers a request that the web server has let pass. It is false if the daemon does not run.
func (m *media) serve(w http.ResponseWriter, r *http.Request, path string) bool {
	m.mu.Lock()
	absent := m.absent
	m.mu.Unlock()
	switch {
	case absent:
		return false
	case path != "/api/media" && path != "/api/media/ws":
		writeStatusText(w, http.StatusNotFound)
	case r.Method != http.MethodGet:
		writeStatusText(w, http.StatusMethodNotAllowed)
	case path == "/api/media":
		writeResult(w, map[string]any{"media": m.announcement()})
	default:
		m.serveSocket(w, r)
	}
	return true
}

// announcement tells which video there is.
func (m *media) announcement() map[string]any {
	video := make(map[string]any)
	if !m.server.opts.Streamer.NoH264 {
		video["h264"] = map[string]string{"profile_level_id": "42E01F"}
	}
	if m.opts.JPEG {
		video["jpeg"] = struct{}{}
	}
	return map[string]any{"video": video}
}

func (m *media) offers(format string) bool {
	return format == "h264" && !m.server.opts.Streamer.NoH264 || format == "jpeg" && m.opts.JPEG
}

func (m *media) join(c *mediaClient) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clients[c] = struct{}{}
	m.changed.wake()
}

func (m *media) leave(c *mediaClient) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.clients, c)
	m.changed.wake()
}

// start lets a client have frames, from a key frame on.
func (m *media) start(c *mediaClient, format string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.format, c.behind, m.keyWish = format, true, true
	if !m.ticking {
		m.ticking = true
		m.server.sched.after(0, m.tick)
	}
}

// wantKey makes the next frame a key frame.
func (m *media) wantKey() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keyWish = true
}

// tick takes a frame from the streamer, if that runs, and comes again as long as somebody wants frames.
func (m *media) tick() {
	m.mu.Lock()
	defer m.mu.Unlock()
	formats := make(map[string]int)
	for c := range m.clients {
		formats[c.format]++
	}
	if m.ticking = formats["h264"]+formats["jpeg"] > 0; !m.ticking {
		return
	}
	running, gop, pause, picture := m.server.streamer.encoding()
	defer m.server.sched.after(pause, m.tick)
	if !running {
		return
	}
	m.number++
	key := m.keyWish || gop <= 1 || m.number%gop == 1
	m.keyWish = false
	var h264, jpeg []byte
	if formats["h264"] > 0 {
		h264 = h264Frame(m.number, key, m.opts.FrameSize)
	}
	if formats["jpeg"] > 0 {
		jpeg = m.server.streamer.album.encode(picture, picture.width/5, picture.height/5, 80)
	}
	for c := range m.clients {
		switch c.format {
		case "h264":
			c.offer(h264, key)
		case "jpeg":
			c.offer(jpeg, true)
		}
	}
}

// encoding is what the streamer does at the moment.
func (v *streamer) encoding() (running bool, gop int, pause time.Duration, p *picture) {
	v.mu.Lock()
	defer v.mu.Unlock()
	gop, _ = v.applied["h264_gop"].(int)
	fps, _ := v.applied["desired_fps"].(int)
	if fps <= 0 {
		fps = 30
	}
	return v.running, gop, time.Second / time.Duration(fps), v.picture()
}

// h264Frame is an access unit of an H.264 stream in Annex B form (ITU-T H.264): its number in place of a picture. A key
// frame has the sequence and the picture parameters before it.
func h264Frame(number int, key bool, size int) []byte {
	var out []byte
	slice := byte(0x41)
	if key {
		out = append(out, 0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0, 0, 0, 1, 0x68, 0xce)
		slice = 0x65
	}
	out = append(out, 0, 0, 0, 1, slice)
	for range size {
		out = append(out, byte((number-1)%255+1)) // never 0, which could make a start code
	}
	return out
}
