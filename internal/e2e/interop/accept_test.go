//go:build interop

package interop_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// seen is what the Node.js client reports of one exchange.
type seen struct {
	Name       string
	Status     int
	Code       int
	Reason     string
	Protocol   string
	Extensions string
	Messages   []received
}

type received struct {
	Binary bool
	Length int
	Head   string // the first 16 bytes, in hexadecimal
	Pong   string
}

func message(binary bool, data string) received {
	return received{Binary: binary, Length: len(data), Head: hex.EncodeToString([]byte(data)[:min(16, len(data))])}
}

// TestAccept lets wsconn be the server of a Node.js client.
func TestAccept(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(serve))
	t.Cleanup(server.Close)
	cmd := exec.CommandContext(deadline(t), "node", "node/client.js", "ws"+strings.TrimPrefix(server.URL, "http"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	var got []seen
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var s seen
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatalf("%v in %q", err, lines.Text())
		}
		if s.Name == "many" { // a thousand alike
			for i, m := range s.Messages {
				if i >= 900 && m.Length != len("message 999") {
					t.Errorf("message %d has %d bytes", i, m.Length)
				}
			}
			s.Messages = s.Messages[:min(len(s.Messages), 1):1]
		}
		got = append(got, s)
	}
	want := []seen{
		{Name: "text", Code: 1000, Reason: "bye", Messages: []received{message(false, "grüße")}},
		{Name: "binary", Code: 1000, Reason: "bye", Messages: []received{message(true, "\x00\x01\x02\xff")}},
		{Name: "empty", Code: 1000, Reason: "bye", Messages: []received{message(false, "")}},
		{Name: "large", Code: 1000, Reason: "bye", Messages: []received{message(true, strings.Repeat("\x07", 1<<20))}},
		{Name: "fragments", Code: 1000, Reason: "bye", Messages: []received{{Pong: "between"}, message(false, "abc")}},
		{Name: "many", Code: 1000, Reason: "bye", Messages: []received{message(false, "message 0")}},
		{
			Name: "deflate", Code: 1000, Reason: "bye", Extensions: "permessage-deflate",
			Messages: []received{message(false, strings.Repeat("z", 4096))},
		},
		{Name: "subprotocol", Code: 1000, Reason: "bye", Protocol: "v2.field", Messages: []received{}},
		{Name: "closed by server", Code: 4003, Reason: "go away", Messages: []received{}},
		{Name: "too big", Code: 1009, Reason: "read limited at 1048577 bytes", Messages: []received{}},
		{Name: "refused", Status: http.StatusForbidden},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("what the client saw (-want +got):\n%s", d)
	}
}

func serve(w http.ResponseWriter, r *http.Request) {
	opts := &wsconn.AcceptOptions{Subprotocols: []string{"v2.field"}}
	switch r.URL.Path {
	case "/refuse":
		http.Error(w, "not here", http.StatusForbidden)
		return
	case "/deflate":
		opts.Compression = wsconn.CompressionNoContextTakeover
	}
	conn, err := wsconn.Accept(w, r, opts)
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	if r.URL.Path == "/close" {
		_ = conn.Close(4003, "go away")
		return
	}
	var buf []byte
	for {
		var typ wsconn.MessageType
		if typ, buf, err = conn.Read(buf); err != nil {
			return
		}
		if err := conn.Write(typ, buf); err != nil {
			return
		}
	}
}
