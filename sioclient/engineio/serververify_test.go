package engineio_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

const upgradeHeaders = "GET upgrade"

// refuse sends one request, and returns its answer and what the owner was told.
func (b *rig) refuse(method, query string, header ...string) string {
	b.t.Helper()
	if method == upgradeHeaders {
		method = http.MethodGet
		header = append(header, "Connection", "keep-alive, Upgrade", "Upgrade", "WebSocket", "Sec-WebSocket-Version", "13",
			"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	}
	r := httptest.NewRequest(method, "http://eio.test/engine.io/?"+query, strings.NewReader(""))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	answer := brief(response{Status: w.Code, Body: w.Body.String()})
	select {
	case e := <-b.refused:
		// The WebSocket library words its own answers.
		said := e.Context == "TRANSPORT_HANDSHAKE_ERROR" || strings.Contains(answer, e.Message)
		if e.Request != r || e.Status != w.Code || !said {
			b.t.Errorf("told %+v of %s", e, answer)
		}
		return answer + " " + e.Context
	default:
		return answer
	}
}

// TestVerify: the first rule that a request breaks decides on its answer, in the order of the original.
func TestVerify(t *testing.T) {
	t.Parallel()
	const (
		transport = `400 {"code":0,"message":"Transport unknown"} UNKNOWN_TRANSPORT`
		unknown   = `400 {"code":1,"message":"Session ID unknown"} UNKNOWN_SID`
		method    = `400 {"code":2,"message":"Bad handshake method"} BAD_HANDSHAKE_METHOD`
		bad       = `400 {"code":3,"message":"Bad request"} `
		version   = `400 {"code":5,"message":"Unsupported protocol version"} UNSUPPORTED_PROTOCOL_VERSION`
	)
	rows := map[string]struct {
		method, query string
		header        []string
		want          string
	}{
		"no transport":                    {"GET", "EIO=4", nil, transport},
		"unknown transport":               {"GET", "EIO=4&transport=abc", nil, transport},
		"transport that is no own key":    {"GET", "EIO=4&transport=constructor", nil, transport},
		"webtransport":                    {"GET", "EIO=4&transport=webtransport", nil, transport},
		"transport before everything":     {"PUT", "EIO=9&transport=abc&sid=none", nil, transport},
		"origin":                          {"GET", "EIO=4&transport=polling", []string{"Origin", "http://a\x01b"}, bad + "INVALID_ORIGIN"},
		"origin before sid":               {"GET", "EIO=4&transport=polling&sid=none", []string{"Origin", "\x7F"}, bad + "INVALID_ORIGIN"},
		"unknown sid":                     {"GET", "EIO=4&transport=polling&sid=none", nil, unknown},
		"unknown sid, POST":               {"POST", "EIO=4&transport=polling&sid=none", nil, unknown},
		"unknown sid, PUT":                {"PUT", "EIO=4&transport=polling&sid=none", nil, unknown},
		"unknown sid, websocket":          {upgradeHeaders, "EIO=4&transport=websocket&sid=none", nil, unknown},
		"empty sid":                       {"GET", "EIO=4&transport=polling&sid=", nil, unknown},
		"sid that is no own key":          {"GET", "EIO=4&transport=polling&sid=constructor", nil, unknown},
		"sid that is a prototype":         {"GET", "EIO=4&transport=polling&sid=__proto__", nil, unknown},
		"websocket without upgrade, sid":  {"GET", "EIO=4&transport=websocket&sid=SID", nil, bad + "TRANSPORT_MISMATCH"},
		"other transport than at present": {upgradeHeaders, "EIO=4&transport=polling&sid=SID", nil, bad + "TRANSPORT_MISMATCH"},
		"other revision":                  {"GET", "EIO=3&transport=polling&sid=SID", nil, bad + "PROTOCOL_MISMATCH"},
		"other revision, websocket":       {upgradeHeaders, "EIO=3&transport=websocket&sid=SID", nil, bad + "PROTOCOL_MISMATCH"},
		"empty revision":                  {"GET", "EIO=&transport=polling&sid=SID", nil, bad + "PROTOCOL_MISMATCH"},
		"PUT to a session":                {"PUT", "EIO=4&transport=polling&sid=SID", nil, bad + "BAD_HANDSHAKE_METHOD"},
		"POST without sid":                {"POST", "EIO=4&transport=polling", nil, method},
		"PUT without sid":                 {"PUT", "EIO=4&transport=polling", nil, method},
		"OPTIONS without CORS":            {"OPTIONS", "EIO=4&transport=polling", nil, method},
		"websocket without upgrade":       {"GET", "EIO=4&transport=websocket", nil, bad + "TRANSPORT_HANDSHAKE_ERROR"},
		"polling with upgrade":            {upgradeHeaders, "EIO=4&transport=polling", nil, bad + "TRANSPORT_HANDSHAKE_ERROR"},
		"method before revision":          {"POST", "EIO=9&transport=polling", nil, method},
		"no revision":                     {"GET", "transport=polling", nil, version},
		"revision without sense":          {"GET", "EIO=abc&transport=polling", nil, version},
		"revision to come":                {"GET", "EIO=5&transport=polling", nil, version},
		"revision 3":                      {"GET", "EIO=3&transport=polling", nil, version},
		"revision 3, websocket":           {upgradeHeaders, "EIO=3&transport=websocket", nil, version},
		"websocket of another version": {
			"GET", "EIO=4&transport=websocket",
			[]string{"Connection", "Upgrade", "Upgrade", "h2c"},
			bad + "TRANSPORT_HANDSHAKE_ERROR",
		},
		"JSONP":        {"GET", "EIO=4&transport=polling&j=0", nil, `400 {"code":3,"message":"JSONP is not supported"} UNSUPPORTED_JSONP`},
		"JSONP, sid":   {"POST", "EIO=4&transport=polling&j=0&sid=SID", nil, `400 {"code":3,"message":"JSONP is not supported"} UNSUPPORTED_JSONP`},
		"foreign page": {upgradeHeaders, "EIO=4&transport=websocket", []string{"Origin", "http://evil.test"}, `403 {"code":4,"message":"Forbidden"} FORBIDDEN_ORIGIN`},
		"foreign page, sid": {
			upgradeHeaders, "EIO=4&transport=websocket&sid=SID",
			[]string{"Origin", "http://evil.test"},
			`403 {"code":4,"message":"Forbidden"} FORBIDDEN_ORIGIN`,
		},
	}
	bubbles := map[string]func(t *testing.T){}
	for name, row := range rows {
		bubbles[name] = func(t *testing.T) {
			b := newRig(t, engineio.ServerOptions{})
			sid := strings.TrimPrefix(b.open(""), "sid=")
			got := b.refuse(row.method, strings.ReplaceAll(row.query, "SID", sid), row.header...)
			check(t, row.want, got)
			check(t, 1, b.server.Sessions()) // none was begun, and that there is lives on
		}
	}
	inBubbles(t, bubbles)
}

// TestVerifyWithoutEIO: a request of a session may leave out EIO, as those of python-engineio do.
func TestVerifyWithoutEIO(t *testing.T) {
	t.Parallel()
	inBubbles(t, map[string]func(t *testing.T){"accepted": func(t *testing.T) {
		b := newRig(t, engineio.ServerOptions{})
		sid := b.open("")
		res, err := b.client.Post("http://eio.test/engine.io/?transport=polling&"+sid, "text/plain", strings.NewReader("4a"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		check(t, http.StatusOK, res.StatusCode)
		check(t, []string{"a"}, b.session().notes())
	}})
}

// TestHooksThatRefuse: what a hook returns for an error is its owner's alone, unless made for the client.
func TestHooksThatRefuse(t *testing.T) {
	t.Parallel()
	secret := errors.New("secret")
	rows := map[string]struct {
		opts engineio.ServerOptions
		want string
	}{
		"AllowRequest": {
			engineio.ServerOptions{AllowRequest: func(*http.Request) error { return secret }},
			`403 {"code":4,"message":"Forbidden"} FORBIDDEN`,
		},
		"AllowRequest with a message": {
			engineio.ServerOptions{AllowRequest: func(*http.Request) error {
				return &sioerr.ConnectionRefusedError{
					ConnectionError: sioerr.ConnectionError{Info: errkit.Info{Class: sioerr.ErrConnectionRefused, Err: secret}},
					Message:         "Thou shall not pass",
				}
			}},
			`403 {"code":4,"message":"Thou shall not pass"} FORBIDDEN`,
		},
		"Middleware": {
			engineio.ServerOptions{Middleware: []func(http.ResponseWriter, *http.Request) error{
				func(http.ResponseWriter, *http.Request) error { return nil },
				func(http.ResponseWriter, *http.Request) error { return secret },
				func(http.ResponseWriter, *http.Request) error { panic("not reached") },
			}},
			`400 {"code":3,"message":"Bad request"} MIDDLEWARE_FAILURE`,
		},
		"GenerateID": {
			engineio.ServerOptions{GenerateID: func(*http.Request) (string, error) { return "", secret }},
			`400 {"code":3,"message":"Bad request"} ID_GENERATION_ERROR`,
		},
		"GenerateID without an id": {
			engineio.ServerOptions{GenerateID: func(*http.Request) (string, error) { return "", nil }},
			`400 {"code":3,"message":"Bad request"} ID_GENERATION_ERROR`,
		},
		"transport that is off": {
			engineio.ServerOptions{Transports: []string{engineio.WebSocket}},
			`400 {"code":0,"message":"Transport unknown"} UNKNOWN_TRANSPORT`,
		},
	}
	bubbles := map[string]func(t *testing.T){}
	for name, row := range rows {
		bubbles[name] = func(t *testing.T) {
			b := newRig(t, row.opts)
			check(t, row.want, b.refuse(http.MethodGet, "EIO=4&transport=polling"))
			check(t, engineio.ServerStats{Refused: 1}, b.server.Stats())
		}
	}
	inBubbles(t, bubbles)
}

// TestPath: with and without the slash, and all below; nothing that only begins alike.
func TestPath(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/socket.io", "/socket.io/"} {
		server, err := engineio.NewServer(&engineio.ServerOptions{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		base := "/engine.io"
		if path != "" {
			base = "/socket.io"
		}
		for at, want := range map[string]int{
			base: http.StatusOK, base + "/": http.StatusOK, base + "/x/y": http.StatusOK,
			base + "x/": http.StatusNotFound, "/": http.StatusNotFound, "/x" + base + "/": http.StatusNotFound,
		} {
			w := httptest.NewRecorder()
			server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, at+"?EIO=4&transport=polling", nil))
			if w.Code != want {
				t.Errorf("path %q, request %q: want %d, got %d", path, at, want, w.Code)
			}
		}
	}
}

// TestServerHandshake: the open packet has the five members and no others, ids are of 20 characters, and upgrades are listed
// where there are some.
func TestServerHandshake(t *testing.T) {
	t.Parallel()
	const rest = `"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`
	rows := map[string]struct {
		opts engineio.ServerOptions
		want string
	}{
		"polling":            {engineio.ServerOptions{}, `0{"sid":"SID","upgrades":["websocket"],` + rest},
		"without upgrades":   {engineio.ServerOptions{DisableUpgrade: true}, `0{"sid":"SID","upgrades":[],` + rest},
		"without websocket":  {engineio.ServerOptions{Transports: []string{"polling"}}, `0{"sid":"SID","upgrades":[],` + rest},
		"an initial message": {engineio.ServerOptions{InitialPacket: engineio.Text("hi")}, `0{"sid":"SID","upgrades":["websocket"],` + rest + "\x1e4hi"},
	}
	bubbles := map[string]func(t *testing.T){}
	for name, row := range rows {
		bubbles[name] = func(t *testing.T) {
			b := newRig(t, row.opts)
			seen := map[string]bool{}
			for range 3 {
				got := b.do(http.MethodGet, "", "")
				id := b.session().session.ID()
				check(t, "200 "+strings.Replace(row.want, "SID", id, 1), brief(got))
				if len(id) != 20 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" || seen[id] {
					t.Errorf("id %q", id)
				}
				seen[id] = true
			}
		}
	}
	bubbles["websocket, an initial message, messages of the owner"] = func(t *testing.T) {
		b := newRig(t, engineio.ServerOptions{
			InitialPacket: engineio.Text("first"),
			OnSession: func(s *engineio.Session) engineio.Handler {
				if err := s.Send(engineio.Text("second")); err != nil {
					t.Error(err)
				}
				return nil
			},
		})
		c := b.dial("")
		check(t, true, strings.HasPrefix(read(c), `0{"sid":"`))
		check(t, "4first", read(c))
		check(t, "4second", read(c))
		// All of it in one write, which a link of its own shows.
		write(t, c, "4nobody wants it")
		check(t, "2", read(c))
	}
	bubbles["messages of the owner do not join the handshake of polling"] = func(t *testing.T) {
		b := newRig(t, engineio.ServerOptions{OnSession: func(s *engineio.Session) engineio.Handler {
			if err := s.Send(engineio.Text("second")); err != nil {
				t.Error(err)
			}
			return nil
		}})
		sid := b.open("")
		check(t, "200 4second", brief(b.do(http.MethodGet, sid, "")))
	}
	bubbles["what is kept of the request"] = func(t *testing.T) {
		b := newRig(t, engineio.ServerOptions{})
		began := time.Now()
		b.do(http.MethodGet, "token=a%20b", "", "X-Test", "1")
		h := b.session().session.Handshake()
		check(t, "a b", h.Query().Get("token"))
		check(t, "1", h.Header.Get("X-Test"))
		check(t, "eio.test", h.Host)
		check(t, true, h.RemoteAddr != "" && h.TLS == nil && h.Time.Equal(began))
		check(t, 4, b.session().session.Protocol())
	}
	bubbles["an id of the owner's, twice"] = func(t *testing.T) {
		b := newRig(t, engineio.ServerOptions{GenerateID: func(*http.Request) (string, error) { return "mine", nil }})
		check(t, "sid=mine", b.open(""))
		check(t, `400 {"code":3,"message":"Bad request"} ID_GENERATION_ERROR`, b.refuse(http.MethodGet, "EIO=4&transport=polling"))
	}
	inBubbles(t, bubbles)
}
