package sioserver

import (
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// scripts serves the files of the official client.
type scripts struct {
	files  fs.FS
	prefix string
	etag   string
}

func newScripts(o *Options) *scripts {
	return &scripts{
		files: o.ClientFiles, prefix: strings.TrimSuffix(o.Engine.Path, "/") + "/", etag: strconv.Quote(o.ClientVersion),
	}
}

// scriptTypes are the files that may be asked for, by their endings.
var scriptTypes = map[string]string{
	".js":  "application/javascript; charset=utf-8",
	".map": "application/json; charset=utf-8",
}

// serve answers requests for scripts, and reports whether the request was one. Everything else is the engine's.
func (s *scripts) serve(w http.ResponseWriter, r *http.Request) bool {
	name, ok := strings.CutPrefix(r.URL.Path, s.prefix)
	if !ok || s.files == nil || !strings.HasPrefix(name, "socket.io.") || strings.Contains(name, "/") {
		return false
	}
	contentType := scriptTypes[path.Ext(name)]
	if contentType == "" {
		return false
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return true
	}
	file, err := s.files.Open(name)
	if err != nil {
		http.NotFound(w, r)
		return true
	}
	defer func() { _ = file.Close() }() // it was only read
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=0")
	if s.etag != `""` {
		h.Set("ETag", s.etag)
		if matchesETag(r.Header.Get("If-None-Match"), s.etag) {
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	h.Set("Content-Type", contentType)
	if info, err := file.Stat(); err == nil {
		h.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	}
	if r.Method == http.MethodGet {
		_, _ = io.Copy(w, file) // a client that has gone does not want it
	}
	return true
}

// matchesETag reports whether a client has that version already (RFC 9110, section 13.1.2).
func matchesETag(header, etag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == etag || one == "*" {
			return true
		}
	}
	return false
}
