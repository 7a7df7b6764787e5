package pikvmtest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// maxBody is the request body limit of the web server in front of the daemon.
const maxBody = 4096

// front is the web server in front of the daemons: it limits bodies, asks the daemon about credentials where others
// than the daemon answer, and shows its own pages when a daemon is away.
func (s *Server) front(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "nginx")
	if s.opts.TLS {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	path := slashes.ReplaceAllString(r.URL.Path, "/")
	switch {
	case path == "/api/media" || strings.HasPrefix(path, "/api/media/"),
		strings.HasPrefix(path, "/streamer/"), path == "/janus/ws":
		s.guarded(w, r, path)
	case strings.HasPrefix(path, "/api/"), path == "/redfish", strings.HasPrefix(path, "/redfish/"):
		s.daemon(w, r, path)
	default:
		s.webUI(w, r, path)
	}
}

// daemon passes a request on to kvmd.
func (s *Server) daemon(w http.ResponseWriter, r *http.Request, path string) {
	if path != "/api/hid/print" && path != "/api/msd/write" && !s.takeBody(w, r) {
		return
	}
	if s.isDown() {
		writePage(w, http.StatusBadGateway)
		return
	}
	s.router.serve(w, r)
}

// takeBody reads the whole body before the daemon sees the request, as the web server does.
func (s *Server) takeBody(w http.ResponseWriter, r *http.Request) bool {
	if r.ContentLength == 0 {
		return true
	}
	var body []byte
	if r.ContentLength <= maxBody {
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1)); err != nil {
			panic(http.ErrAbortHandler) // the client broke off
		}
	}
	if len(body) > maxBody || r.ContentLength > maxBody {
		w.Header().Set("Connection", "close")
		writePage(w, http.StatusRequestEntityTooLarge)
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	if req, ok := r.Context().Value(requestKey{}).(*Request); ok {
		s.record.body(req, body)
	}
	return true
}

// guarded is the access to the daemons that do not check credentials themselves: the web server asks kvmd first. A
// daemon that does not run is 502, and the one for WebRTC never does here.
func (s *Server) guarded(w http.ResponseWriter, r *http.Request, path string) {
	if !s.takeBody(w, r) {
		return
	}
	switch status := s.authCheck(r); status {
	case http.StatusOK:
		served := false
		switch {
		case strings.HasPrefix(path, "/streamer/"):
			served = s.streamer.serveStreamer(w, r, path)
		case strings.HasPrefix(path, "/api/media"):
			served = s.media.serve(w, r, path)
		}
		if !served {
			writePage(w, http.StatusBadGateway)
		}
	case http.StatusUnauthorized, http.StatusForbidden:
		writePage(w, status)
	default:
		writePage(w, http.StatusInternalServerError)
	}
}

// authCheck is the status of the sub-request that the web server makes to learn whether a request may pass.
func (s *Server) authCheck(r *http.Request) int {
	if s.isDown() {
		return http.StatusBadGateway
	}
	_, err := s.auth.check(r)
	if refused, ok := err.(*apiError); ok {
		return refused.status
	}
	return http.StatusOK
}

// webUI is the static part: enough of it to see where a wrong base URL leads.
func (s *Server) webUI(w http.ResponseWriter, r *http.Request, path string) {
	if !s.takeBody(w, r) {
		return
	}
	if path == "/login" || strings.HasPrefix(path, "/login/") {
		write(w, http.StatusOK, "text/html", loginPage)
		return
	}
	switch s.authCheck(r) {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		w.Header().Set("Location", "/login")
		writePage(w, http.StatusFound)
		return
	default:
		writePage(w, http.StatusInternalServerError)
		return
	}
	switch path {
	case "/", "/kvm", "/kvm/":
		write(w, http.StatusOK, "text/html", indexPage)
	default:
		writePage(w, http.StatusNotFound)
	}
}

const (
	loginPage = "<!DOCTYPE html>\n<html lang=\"en\"><head><title>PiKVM Login</title></head><body></body></html>\n"
	indexPage = "<!DOCTYPE html>\n<html lang=\"en\"><head><title>PiKVM Index</title></head><body></body></html>\n"
)

// redirectPlain is the plain port of a device that wants HTTPS.
func (s *Server) redirectPlain(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "nginx")
	w.Header().Set("Location", s.URL()+r.URL.RequestURI())
	writePage(w, http.StatusMovedPermanently)
}
