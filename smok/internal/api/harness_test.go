package api_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/certs"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

func TestMain(m *testing.M) { leak.Main(m) }

const hubURL = "http://hub.test"

var authority = sync.OnceValues(func() (*certs.CA, error) { return certs.NewCA("devices") })

var devices = sync.OnceValue(func() [3]*ngtt.Credentials {
	var made [3]*ngtt.Credentials
	for environment := range made {
		made[environment] = issue(environment)
	}
	return made
})

// device returns the credentials of a device of an environment.
func device(environment ngtt.Environment) *ngtt.Credentials { return devices()[environment] }

func issue(environment int) *ngtt.Credentials {
	ca, err := authority()
	must(err)
	id, err := asn1.MarshalWithParams("skylab", "utf8")
	must(err)
	number, err := asn1.Marshal(environment)
	must(err)
	cert, err := ca.Client("device",
		pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55338, 0, 0}, Value: id},
		pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 55338, 0, 1}, Value: number},
	)
	must(err)
	credentials, err := ngtt.NewCredentials(cert)
	must(err)
	return credentials
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// serve answers on a network in memory until the test ends.
func serve(t *testing.T, network *netem.Network, addr string, config *tls.Config, handler http.HandlerFunc) {
	t.Helper()
	listener, err := network.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, listener, config, handler)
}

func serveOn(t *testing.T, listener net.Listener, config *tls.Config, handler http.HandlerFunc) {
	t.Helper()
	server := &http.Server{Handler: handler, ErrorLog: nil, TLSConfig: config}
	server.ErrorLog = discard()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if config != nil {
			_ = server.ServeTLS(listener, "", "")
			return
		}
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
}

// connect returns a client of the hub on network.
func connect(t *testing.T, network *netem.Network, change func(*api.Config)) *api.Client {
	t.Helper()
	cfg := api.Config{
		Credentials: device(ngtt.LocalDevelopment), BaseURL: hubURL, DialContext: network.DialContext,
		OnBadEntry: func(err error) { t.Errorf("bad entry: %v", err) },
	}
	if change != nil {
		change(&cfg)
	}
	client, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// hub returns a client whose hub is handler.
func hub(t *testing.T, change func(*api.Config), handler http.HandlerFunc) *api.Client {
	t.Helper()
	network := netem.New(nil)
	serve(t, network, "hub.test:80", nil, handler)
	return connect(t, network, change)
}

// script returns a client whose connections are handed to handle, one after the other. What the client has sent stays
// unread unless handle reads it.
func script(t *testing.T, change func(*api.Config), handle func(conn *netem.Conn, link *netem.Link)) *api.Client {
	t.Helper()
	network := netem.New(nil)
	listener, err := network.Listen("hub.test:80")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			handle(conn.(*netem.Conn), network.Links()[len(network.Links())-1])
			_ = conn.Close()
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		done.Wait()
	})
	return connect(t, network, change)
}

// readHead reads a request up to the end of its header.
func readHead(conn io.Reader) {
	var seen []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(seen, []byte("\r\n\r\n")) {
		if _, err := conn.Read(one); err != nil {
			return
		}
		seen = append(seen, one...)
	}
}

// request is what the hub got.
type request struct {
	Method, URI, ContentType string
	Body                     string // MiniJSON as JSON text
}

func received(t *testing.T, r *http.Request) request {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("reading the request: %v", err)
	}
	got := request{Method: r.Method, URI: r.RequestURI, ContentType: r.Header.Get("Content-Type"), Body: string(body)}
	if got.ContentType == "application/minijson" {
		text, err := minijson.ToJSON(body)
		if err != nil {
			t.Errorf("the body is no MiniJSON: %v", err)
		}
		got.Body = string(text)
	}
	return got
}

// answerJSON answers with JSON text.
func answerJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// outcome is what a test expects of an error.
type outcome struct {
	Class  *errkit.Class
	Kinds  errkit.Kind
	Status int
	Text   string
}

func checkOutcome(t *testing.T, err error, want outcome) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	typed, ok := err.(errkit.Error) //nolint:errorlint // the outermost layer is what is checked
	if !ok {
		t.Fatalf("%T: %v is no typed error", err, err)
	}
	got := outcome{Class: typed.ErrorInfo().Class, Kinds: typed.ErrorInfo().Kinds()}
	if response, ok := errors.AsType[*smokerr.ResponseError](err); ok {
		got.Status, got.Text = response.StatusCode, response.Status
	}
	code := cmp.Transformer("code", func(c *errkit.Class) string { return c.Code() })
	if d := cmp.Diff(want, got, code, cmp.Transformer("names", errkit.Kind.Names)); d != "" {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
	if !errors.Is(err, smokerr.Err) {
		t.Errorf("%v is not of this module", err)
	}
}

// eventually is long enough for anything that happens at all.
func eventually(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
