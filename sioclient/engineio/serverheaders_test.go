package engineio_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// headers picks some, in the order of names, "Name: value" each.
func headers(h http.Header, names ...string) (out []string) {
	for _, name := range names {
		for _, v := range h.Values(name) {
			out = append(out, name+": "+v)
		}
	}
	return out
}

func TestResponseHeaders(t *testing.T) {
	t.Parallel()
	names := []string{
		"Content-Type", "Content-Length", "Cache-Control", "X-XSS-Protection", "Content-Encoding", "Set-Cookie",
		"Access-Control-Allow-Origin", "Vary", "X-Hook", "X-Initial",
	}
	inBubbles(t, map[string]func(t *testing.T){
		"of polls and posts": func(t *testing.T) {
			b := newRig(t, patient)
			first := b.do(http.MethodGet, "", "", "Origin", "http://other.test")
			check(t, []string{
				"Content-Type: text/plain; charset=UTF-8", fmt.Sprint("Content-Length: ", len(first.Body)), "Cache-Control: no-store",
			}, headers(first.header, names...))
			sid := "sid=" + b.session().session.ID()
			check(t, []string{"Content-Type: text/html", "Content-Length: 2"},
				headers(b.do(http.MethodPost, sid, "4a").header, names...))
			check(t, []string{"Content-Type: text/plain; charset=UTF-8", "Content-Length: 2", "Cache-Control: no-store"},
				headers(b.do(http.MethodGet, sid, "").header, names...))
			check(t, []string{"Content-Type: application/json", "Content-Length: 41"},
				headers(b.do(http.MethodGet, "sid=x", "").header, names...))
		},
		"for browsers that look for scripts": func(t *testing.T) {
			b := newRig(t, patient)
			for _, agent := range []string{"Mozilla/5.0 (compatible;MSIE 10.0)", "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0)"} {
				h := b.do(http.MethodGet, "", "", "User-Agent", agent).header
				check(t, []string{"X-XSS-Protection: 0"}, headers(h, "X-XSS-Protection"))
				h = b.do(http.MethodPost, "sid="+b.session().session.ID(), "4a", "User-Agent", agent).header
				check(t, []string{"X-XSS-Protection: 0"}, headers(h, "X-XSS-Protection"))
			}
		},
		"of the owner's": func(t *testing.T) {
			opts := patient
			opts.Middleware = []func(http.ResponseWriter, *http.Request) error{func(w http.ResponseWriter, _ *http.Request) error {
				w.Header().Add("X-Hook", "middleware")
				return nil
			}}
			opts.Headers = func(h http.Header, _ *http.Request) { h.Add("X-Hook", "headers") }
			opts.InitialHeaders = func(h http.Header, r *http.Request) { h.Set("X-Initial", r.Method) }
			b := newRig(t, opts)
			first := b.do(http.MethodGet, "", "")
			sid := "sid=" + b.session().session.ID()
			both := []string{"X-Hook: middleware", "X-Hook: headers"}
			check(t, append(both[:2:2], "X-Initial: GET"), headers(first.header, "X-Hook", "X-Initial"))
			check(t, both, headers(b.do(http.MethodPost, sid, "4a").header, "X-Hook", "X-Initial"))
			check(t, both, headers(b.do(http.MethodGet, sid, "").header, "X-Hook", "X-Initial"))
			c := b.dial("")
			check(t, append(both[:2:2], "X-Initial: GET"), headers(c.Response().Header, "X-Hook", "X-Initial"))
		},
		"a cookie as that of the original": func(t *testing.T) {
			opts := patient
			opts.Cookie = &engineio.CookieOptions{}
			b := newRig(t, opts)
			first := b.do(http.MethodGet, "", "")
			id := b.session().session.ID()
			check(t, []string{"Set-Cookie: io=" + id + "; Path=/; HttpOnly; SameSite=Lax"}, headers(first.header, "Set-Cookie"))
			check(t, nil, headers(b.do(http.MethodPost, "sid="+id, "4a").header, "Set-Cookie"))
			check(t, nil, headers(b.dial("").Response().Header, "Set-Cookie"))
		},
		"a cookie of other taste": func(t *testing.T) {
			opts := patient
			opts.Cookie = &engineio.CookieOptions{
				Name: "x", Path: "/a", Domain: "eio.test", MaxAge: time.Minute, Secure: true, Readable: true, SameSite: http.SameSiteStrictMode,
			}
			b := newRig(t, opts)
			first := b.do(http.MethodGet, "", "")
			check(t, []string{
				"Set-Cookie: x=" + b.session().session.ID() + "; Path=/a; Domain=eio.test; Max-Age=60; Secure; SameSite=Strict",
			}, headers(first.header, "Set-Cookie"))
		},
	})
}

func TestCORS(t *testing.T) {
	t.Parallel()
	type H = http.Header
	const methods = "GET,HEAD,PUT,PATCH,POST,DELETE"
	for name, row := range map[string]struct {
		cors    *engineio.CORS
		method  string
		header  H
		status  int
		want    H
		foreign bool // whether a WebSocket from that origin is admitted
	}{
		"off": {nil, "GET", H{"Origin": {"http://a.test"}}, 200, H{}, false},
		"nobody": {
			&engineio.CORS{}, "GET", H{"Origin": {"http://a.test"}}, 200, H{"Vary": {"Origin"}}, false,
		},
		"one": {
			&engineio.CORS{AllowedOrigins: []string{"http://a.test"}, ExposedHeaders: []string{"X-A", "X-B"}},
			"GET",
			H{"Origin": {"http://a.test"}},
			200,
			H{"Access-Control-Allow-Origin": {"http://a.test"}, "Access-Control-Expose-Headers": {"X-A,X-B"}, "Vary": {"Origin"}},
			true,
		},
		"one, and another asks": {
			&engineio.CORS{AllowedOrigins: []string{"http://a.test"}}, "GET",
			H{"Origin": {"http://b.test"}},
			200,
			H{"Access-Control-Allow-Origin": {"http://a.test"}, "Vary": {"Origin"}},
			false,
		},
		"several": {
			&engineio.CORS{AllowedOrigins: []string{"http://a.test", "http://b.test"}, Credentials: true},
			"GET",
			H{"Origin": {"http://b.test"}},
			200,
			H{"Access-Control-Allow-Origin": {"http://b.test"}, "Access-Control-Allow-Credentials": {"true"}, "Vary": {"Origin"}},
			true,
		},
		"several, and another asks": {
			&engineio.CORS{AllowedOrigins: []string{"http://a.test", "http://b.test"}}, "GET",
			H{"Origin": {"http://a.test.evil"}},
			200,
			H{"Vary": {"Origin"}},
			false,
		},
		"by a function": {
			&engineio.CORS{AllowOriginFunc: func(o string) bool { return strings.HasSuffix(o, ".a.test") }},
			"GET",
			H{"Origin": {"https://x.a.test"}},
			200,
			H{"Access-Control-Allow-Origin": {"https://x.a.test"}, "Vary": {"Origin"}},
			true,
		},
		"all": {
			&engineio.CORS{AllowedOrigins: []string{"*"}}, "GET",
			H{"Origin": {"http://b.test"}},
			200,
			H{"Access-Control-Allow-Origin": {"*"}},
			true,
		},
		"preflight": {
			&engineio.CORS{AllowedOrigins: []string{"http://a.test"}, MaxAge: time.Hour}, "OPTIONS",
			H{"Origin": {"http://a.test"}, "Access-Control-Request-Headers": {"X-C, X-D"}},
			204,
			H{
				"Access-Control-Allow-Origin": {"http://a.test"}, "Access-Control-Allow-Methods": {methods},
				"Access-Control-Allow-Headers": {"X-C, X-D"}, "Access-Control-Max-Age": {"3600"},
				"Vary": {"Origin", "Access-Control-Request-Headers"}, "Content-Length": {"0"},
			},
			true,
		},
		"preflight with lists": {
			&engineio.CORS{AllowedOrigins: []string{"*"}, Methods: []string{"GET", "POST"}, AllowedHeaders: []string{"X-E"}}, "OPTIONS",
			H{"Origin": {"http://a.test"}, "Access-Control-Request-Headers": {"X-C"}},
			204,
			H{
				"Access-Control-Allow-Origin": {"*"}, "Access-Control-Allow-Methods": {"GET,POST"},
				"Access-Control-Allow-Headers": {"X-E"}, "Content-Length": {"0"},
			},
			true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, err := engineio.NewServer(&engineio.ServerOptions{CORS: row.cors})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			r := httptest.NewRequest(row.method, "/engine.io/?EIO=4&transport=polling", nil)
			r.Header = row.header.Clone()
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			check(t, row.status, w.Code)
			got := w.Header().Clone()
			for _, name := range []string{"Content-Type", "Cache-Control"} {
				got.Del(name)
			}
			if row.status == 200 {
				got.Del("Content-Length")
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			r = httptest.NewRequest(http.MethodGet, "/engine.io/?EIO=4&transport=websocket", nil)
			r.Header = H{"Origin": row.header["Origin"], "Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
			w = httptest.NewRecorder()
			server.ServeHTTP(w, r)
			check(t, row.foreign, w.Code != http.StatusForbidden)
		})
	}
}

// TestCheckOrigin: which pages may open a WebSocket without CORS.
func TestCheckOrigin(t *testing.T) {
	t.Parallel()
	rows := map[string]func(t *testing.T){}
	for origin, want := range map[string]bool{
		"": true, "http://eio.test": true, "https://EIO.test": true, "http://eio.test:81": false, "http://eio.test.evil": false,
		"http://xeio.test": false, "null": false, "eio.test": false, "http://": false, "http://evil.test/eio.test": false,
	} {
		rows["origin "+strings.ReplaceAll(origin, "/", "_")] = func(t *testing.T) {
			b := newRig(t, patient)
			_, err := b.tryDial("", origin)
			check(t, want, err == nil)
			check(t, want, b.server.Sessions() == 1)
		}
	}
	rows["a function decides"] = func(t *testing.T) {
		opts := patient
		opts.CheckOrigin = func(r *http.Request) bool { return r.Header.Get("Origin") == "http://evil.test" }
		b := newRig(t, opts)
		_, err := b.tryDial("", "http://evil.test")
		check(t, nil, err)
		_, err = b.tryDial("", "http://eio.test")
		check(t, true, err != nil)
	}
	inBubbles(t, rows)
}

func TestHTTPCompression(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("z", 1023) // 1024 with the type
	rows := map[string]func(t *testing.T){}
	for name, row := range map[string]struct {
		opts   engineio.ServerOptions
		accept string
		msgs   []engineio.Message
		want   string
	}{
		"gzip":                  {patient, "gzip, deflate", []engineio.Message{engineio.Text(long)}, "gzip"},
		"the client's order":    {patient, "br, deflate, gzip", []engineio.Message{engineio.Text(long)}, "deflate"},
		"what it does not want": {patient, "gzip;q=0, deflate; q=0.5", []engineio.Message{engineio.Text(long)}, "deflate"},
		"nothing that we have":  {patient, "br", []engineio.Message{engineio.Text(long)}, ""},
		"not asked for":         {patient, "", []engineio.Message{engineio.Text(long)}, ""},
		"too short":             {patient, "gzip", []engineio.Message{engineio.Text(long[1:])}, ""},
		"not worth it":          {patient, "gzip", []engineio.Message{engineio.Text(long).Plain()}, ""},
		"one that is worth it":  {patient, "gzip", []engineio.Message{engineio.Text(long).Plain(), engineio.Text("x")}, "gzip"},
		"another threshold": {
			engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour, CompressionThreshold: 3},
			"gzip",
			[]engineio.Message{engineio.Text("xy")},
			"gzip",
		},
		"off": {
			engineio.ServerOptions{PingInterval: time.Hour, PingTimeout: time.Hour, DisableHTTPCompression: true},
			"gzip",
			[]engineio.Message{engineio.Text(long)},
			"",
		},
	} {
		rows[name] = func(t *testing.T) {
			b := newRig(t, row.opts)
			sid := b.open("")
			if err := b.session().session.Send(row.msgs...); err != nil {
				t.Fatal(err)
			}
			res := b.do(http.MethodGet, sid, "", "Accept-Encoding", row.accept)
			check(t, row.want, res.header.Get("Content-Encoding"))
			check(t, fmt.Sprint(len(res.Body)), res.header.Get("Content-Length"))
			var z io.Reader = strings.NewReader(res.Body)
			var err error
			switch row.want {
			case "gzip":
				z, err = gzip.NewReader(z)
			case "deflate":
				z, err = zlib.NewReader(z)
			}
			if err != nil {
				t.Fatal(err)
			}
			var plain bytes.Buffer
			if _, err := io.Copy(&plain, z); err != nil {
				t.Fatal(err)
			}
			check(t, true, plain.String()[:3] == "4zz" || plain.String() == "4xy")
		}
	}
	inBubbles(t, rows)
}
