package pikvmtest

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// The stream of pictures.
const (
	mjpegBoundary = "boundarydonotcross"
	mjpegPause    = 100 * time.Millisecond // between two pictures
)

// serveStreamer is the streamer itself, behind the web server. It is false if it does not run.
func (v *streamer) serveStreamer(w http.ResponseWriter, r *http.Request, path string) bool {
	v.mu.Lock()
	running, process, p := v.running, v.process(), v.picture()
	v.mu.Unlock()
	switch {
	case !running:
		return false
	case path == "/streamer/state":
		writeResult(w, process)
	case path == "/streamer/snapshot": // the placeholder, too
		p.header(w.Header())
		write(w, http.StatusOK, "image/jpeg", string(v.album.encode(p, p.width, p.height, 80)))
	case path == "/streamer/stream":
		v.mjpeg(w, r)
	default:
		writePage(w, http.StatusNotFound)
	}
	return true
}

// mjpeg sends pictures until the client leaves or the streamer stops.
func (v *streamer) mjpeg(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	zero, extra := query.Get("zero_data") == "1", query.Get("extra_headers") == "1"
	defer v.view(query.Get("key"))()
	w.Header().Set("Content-Type", "multipart/x-mixed-replace;boundary="+mjpegBoundary)
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w).Flush
	_, _ = fmt.Fprintf(w, "--%s\r\n", mjpegBoundary)
	for {
		v.mu.Lock()
		running, p := v.running, v.picture()
		v.mu.Unlock()
		if !running {
			return
		}
		var data []byte
		if !zero {
			data = v.album.encode(p, p.width/5, p.height/5, 80)
		}
		head := http.Header{"Content-Type": {"image/jpeg"}, "Content-Length": {strconv.Itoa(len(data))}}
		p.header(head)
		if !extra {
			for _, name := range []string{"Online", "Width", "Height"} {
				head.Del("X-UStreamer-" + name)
			}
		}
		if head.Write(w) != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "\r\n%s\r\n--%s\r\n", data, mjpegBoundary); err != nil || flush() != nil {
			return
		}
		if v.server.sleep(r.Context(), mjpegPause) != nil {
			return
		}
	}
}

// view counts a client of the stream until the returned function is called.
func (v *streamer) view(key string) (leave func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seq++
	id := fmt.Sprintf("%016x", v.seq)
	v.streams[id] = key
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.streams, id)
	}
}
