package pikvmtest_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// kvm is a running fake and a client that shows what comes over the wire: no redirects are followed, nothing is retried.
type kvm struct {
	*pikvmtest.Server
	t    *testing.T
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	http *http.Client
}

// start runs a fake on 127.0.0.1.
func start(t *testing.T, opts *pikvmtest.Options) *kvm {
	t.Helper()
	return run(t, opts, new(net.Dialer).DialContext)
}

// startInMemory runs a fake on an in-memory network, for use in a synctest bubble.
func startInMemory(t *testing.T, opts *pikvmtest.Options) *kvm {
	t.Helper()
	network := netem.New(nil)
	ln, err := network.Listen("kvm.test:80")
	if err != nil {
		t.Fatal(err)
	}
	var o pikvmtest.Options
	if opts != nil {
		o = *opts
	}
	o.Listener = ln
	return run(t, &o, network.DialContext)
}

func run(t *testing.T, opts *pikvmtest.Options, dial func(context.Context, string, string) (net.Conn, error)) *kvm {
	t.Helper()
	srv := pikvmtest.New(opts)
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = srv.Close()
	})
	return &kvm{srv, t, dial, &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is what a request brought.
type answer struct {
	Status      int
	ContentType string
	Body        string
	Header      http.Header
}

// with sets a header.
func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// as authenticates by headers.
func as(user, passwd string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("X-KVMD-User", user)
		r.Header.Set("X-KVMD-Passwd", passwd)
	}
}

// cookie authenticates by a session.
func cookie(token string) func(*http.Request) { return with("Cookie", "auth_token="+token) }

// form makes the body a form.
func form(pairs ...string) func(*http.Request) {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return body("application/x-www-form-urlencoded", values.Encode())
}

func body(contentType, text string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Content-Type", contentType)
		r.Body = io.NopCloser(strings.NewReader(text))
		r.ContentLength = int64(len(text))
	}
}

// try sends a request as admin unless an option says who sends it.
func (k *kvm) try(method, path string, options ...func(*http.Request)) (answer, error) {
	r, err := http.NewRequestWithContext(k.t.Context(), method, k.URL()+path, nil)
	if err != nil {
		return answer{}, err
	}
	as("admin", "admin")(r)
	for _, option := range options {
		option(r)
	}
	resp, err := k.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header.Get("Content-Type"), string(data), resp.Header}, err
}

func (k *kvm) do(method, path string, options ...func(*http.Request)) answer {
	k.t.Helper()
	a, err := k.try(method, path, options...)
	if err != nil {
		k.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// anonymous drops the credentials that do sends by default.
func anonymous(r *http.Request) {
	r.Header.Del("X-KVMD-User")
	r.Header.Del("X-KVMD-Passwd")
}

// want compares status and, for the envelope, the error.
func (k *kvm) want(a answer, status int, errName, errText string) {
	k.t.Helper()
	got := struct {
		Result struct {
			Error string `json:"error"`
			Text  string `json:"error_msg"`
		} `json:"result"`
	}{}
	if a.ContentType == "application/json; charset=utf-8" {
		if err := json.Unmarshal([]byte(a.Body), &got); err != nil {
			k.t.Fatalf("body %q: %v", a.Body, err)
		}
	}
	type outcome struct {
		Status      int
		Error, Text string
	}
	want := outcome{status, errName, errText}
	if d := cmp.Diff(want, outcome{a.Status, got.Result.Error, got.Result.Text}); d != "" {
		k.t.Errorf("answer (-want +got):\n%s", d)
	}
}

// result decodes the result of a successful answer.
func (k *kvm) result(a answer) map[string]any {
	k.t.Helper()
	var envelope struct {
		OK     bool
		Result map[string]any
	}
	if err := json.Unmarshal([]byte(a.Body), &envelope); err != nil || !envelope.OK || a.Status != 200 {
		k.t.Fatalf("not a result: %d %q (%v)", a.Status, a.Body, err)
	}
	return envelope.Result
}

// login returns the token of a new session.
func (k *kvm) login(pairs ...string) string {
	k.t.Helper()
	a := k.do("POST", "/api/auth/login", anonymous, form(append([]string{"user", "admin", "passwd", "admin"}, pairs...)...))
	token, ok := strings.CutPrefix(a.Header.Get("Set-Cookie"), "auth_token=")
	if a.Status != 200 || !ok {
		k.t.Fatalf("login: %d %q", a.Status, a.Body)
	}
	token, _, _ = strings.Cut(token, ";")
	return token
}

// codeNow is the current code of the secret JBSWY3DPEHPK3PXP (RFC 6238).
func codeNow() string { return codeAt(time.Now()) }

func codeAt(at time.Time) string {
	mac := hmac.New(sha1.New, []byte("Hello!\xde\xad\xbe\xef"))
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&15:]) << 1 >> 1
	return fmt.Sprintf("%06d", n%1e6)
}

// within bounds a request by a context of its own.
func within(ctx context.Context) func(*http.Request) {
	return func(r *http.Request) { *r = *r.WithContext(ctx) }
}
