package sioserver_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

func TestScripts(t *testing.T) {
	t.Parallel()
	srv, err := sioserver.New(&sioserver.Options{
		ClientVersion: "4.8.4",
		ClientFiles: fstest.MapFS{
			"socket.io.min.js":     {Data: []byte("script")},
			"socket.io.min.js.map": {Data: []byte("{}")},
			"secret.js":            {Data: []byte("secret")},
		},
	})
	check(t, nil, err)
	defer func() { check(t, nil, srv.Close()) }()
	for name, test := range map[string]struct {
		method, target, etag string
		status               int
		body, contentType    string
	}{
		"script":       {target: "/socket.io/socket.io.min.js", status: 200, body: "script", contentType: "application/javascript; charset=utf-8"},
		"map":          {target: "/socket.io/socket.io.min.js.map", status: 200, body: "{}", contentType: "application/json; charset=utf-8"},
		"known":        {target: "/socket.io/socket.io.min.js", etag: `W/"4.8.4"`, status: 304},
		"old":          {target: "/socket.io/socket.io.min.js", etag: `"4.8.3"`, status: 200, body: "script", contentType: "application/javascript; charset=utf-8"},
		"HEAD":         {method: "HEAD", target: "/socket.io/socket.io.min.js", status: 200, contentType: "application/javascript; charset=utf-8"},
		"POST":         {method: "POST", target: "/socket.io/socket.io.min.js", status: 405},
		"missing":      {target: "/socket.io/socket.io.js", status: 404, body: "404 page not found\n", contentType: "text/plain; charset=utf-8"},
		"another file": {target: "/socket.io/secret.js", status: 400, body: `{"code":0,"message":"Transport unknown"}`, contentType: "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			method := test.method
			if method == "" {
				method = http.MethodGet
			}
			r := httptest.NewRequestWithContext(t.Context(), method, test.target, nil)
			if test.etag != "" {
				r.Header.Set("If-None-Match", test.etag)
			}
			w := httptest.NewRecorder()
			srv.ServeHTTP(w, r)
			body, err := io.ReadAll(w.Body)
			check(t, nil, err)
			check(t, []any{test.status, test.body, test.contentType}, []any{w.Code, string(body), w.Header().Get("Content-Type")})
			if test.status == 200 || test.status == 304 {
				check(t, []string{`"4.8.4"`, "public, max-age=0"}, []string{w.Header().Get("ETag"), w.Header().Get("Cache-Control")})
			}
		})
	}
}
