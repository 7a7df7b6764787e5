package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

func TestMain(m *testing.M) { leak.Main(m) }

// process is the program at work.
type process struct {
	t        *testing.T
	commands chan string
	output   *bufio.Scanner
	done     chan error
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	p := &process{t: t, commands: make(chan string), output: bufio.NewScanner(r), done: make(chan error, 1)}
	go func() {
		p.done <- run(ctx, args, p.commands, w)
		_ = w.Close() // never fails
	}()
	t.Cleanup(func() {
		cancel()
		_ = r.Close() // never fails
	})
	return p
}

// next returns the next line of an event, skipping others.
func (p *process) next(event string) line {
	p.t.Helper()
	for p.output.Scan() {
		var l line
		if err := json.Unmarshal(p.output.Bytes(), &l); err != nil {
			p.t.Fatalf("%s: %v", p.output.Text(), err)
		}
		if l["event"] == event {
			return l
		}
	}
	p.t.Fatalf("no %s", event)
	return nil
}

func (p *process) command(command, event string) line {
	p.t.Helper()
	p.commands <- command
	return p.next(event)
}

func TestADeviceAgainstTheProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, "-dir", dir, "-device", "pump,valve")
	ready := p.next("ready")
	credentials, err := ngtt.LoadCredentials(filepath.Join(dir, "pump.crt"), filepath.Join(dir, "pump.key"))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "valve.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	authority, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		t.Fatal("no authority")
	}

	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{credentials.Certificate()}}}
	t.Cleanup(transport.CloseIdleConnections)
	upload := func() error {
		body, err := minijson.Marshal([]any{map[string]any{"path": "W1", "values": []any{[]any{0, 7}, []any{false, 1, "type"}}}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), "POST", ready["url"].(string)+"/v1/device/pathpoints", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/minijson")
		resp, err := (&http.Client{Transport: transport}).Do(r)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	}
	p.command("lose 1 /v1/device/pathpoints", "losing")
	lost := make(chan error, 1)
	go func() { lost <- upload() }()
	request := p.next("request")
	if <-lost == nil || request["effect"] != true || request["status"] != 0.0 || request["device"] != "pump" {
		t.Errorf("%v", request)
	}
	if d := cmp.Diff([]any{map[string]any{"path": "W1", "values": []any{[]any{0.0, 7.0}, []any{false, 1.0, "type"}}}}, request["body"]); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	want := []any{
		map[string]any{"path": "W1", "time": "1970-01-01T00:00:00Z", "value": 7.0},
		map[string]any{"path": "W1", "time": "1970-01-01T00:00:00.001Z", "reason": "type"},
	}
	if d := cmp.Diff(want, p.command("samples pump W1", "samples")["samples"]); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}

	p.command("down", "down")
	if upload() == nil {
		t.Error("an answer from a hub that is down")
	}
	p.command("up", "up")
	p.command("restart 1ms", "up")

	client, err := ngtt.New(credentials, &ngtt.Options{
		Addr: ready["ngtt"].(string), RootCAs: roots, Handler: func(ctx context.Context, o *ngtt.Order) { _ = o.Ack(ctx) },
	})
	if err != nil {
		t.Fatal(err)
	}
	queued := p.command(`order pump [{"orders":[{"type":"read","path":"W1"}]}]`, "queued")
	ended := make(chan error, 1)
	go func() { ended <- client.Run(context.Background()) }() // now, or the confirmation may come before the answer
	if confirmed := p.next("confirm"); confirmed["order"] != queued["order"] || confirmed["device"] != "pump" {
		t.Errorf("%v, %v", queued, confirmed)
	}
	_ = client.Close()
	<-ended
	if counts := p.command("counts pump", "counts")["counts"].(map[string]any); counts["Samples"] != 2.0 {
		t.Errorf("%v", counts)
	}
	p.commands <- "quit"
	if err := <-p.done; err != nil {
		t.Error(err)
	}
}

func TestBadCommands(t *testing.T) {
	t.Parallel()
	p := start(t, "-dir", t.TempDir(), "-plain")
	if url := p.next("ready")["url"].(string); !strings.HasPrefix(url, "http://") {
		t.Errorf("the hub is at %s", url)
	}
	for _, command := range []string{"", "jump", "order pump [", "lose x /", "lose 0 /", "restart", "restart soon"} {
		if l := p.command(command, "error"); l["text"] == "" {
			t.Errorf("%q: %v", command, l)
		}
	}
	close(p.commands)
	if err := <-p.done; err != nil {
		t.Error(err)
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, args := range [][]string{
		{"-unknown"},
		{"argument"},
		{"-dir", filepath.Join(dir, "missing")},
		{"-dir", dir, "-device", ""},
		{"-dir", dir, "-device", "a/b"},
		{"-dir", dir, "-device", "ca"},
		{"-listen", "nowhere"},
		{"-ngtt", "nowhere"},
	} {
		if err := run(t.Context(), args, nil, io.Discard); err == nil {
			t.Errorf("%q", args)
		}
	}
}

func TestTheProgramEndsWithItsContextAndItsOutput(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, []string{"-dir", t.TempDir()}, nil, io.Discard); err != nil {
		t.Error(err)
	}
	r, w := io.Pipe()
	_ = r.Close() // never fails
	commands := make(chan string, 1)
	commands <- "counts x"
	if err := run(t.Context(), []string{"-dir", t.TempDir()}, commands, w); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	var got []string
	for l := range lines(t.Context(), strings.NewReader("a b\nc")) {
		got = append(got, l)
	}
	if d := cmp.Diff([]string{"a b", "c"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range lines(ctx, strings.NewReader("a\nb\nc\n")) { // it may or may not come; what counts is that the loop ends
		continue
	}
}
