//go:build interop

package siointerop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver/admin"
)

// adminPage is the folder of the built page in the official package.
const adminPage = "node/node_modules/@socket.io/admin-ui/ui/dist"

// TestAdminPage lets the official admin page look into a server and act on it. A script in the page, admin.js, uses it as
// a person does, and asks this test for members of the server to look at.
func TestAdminPage(t *testing.T) {
	t.Parallel()
	crew := &crew{T: t, members: map[string]*sioclient.Socket{}, lost: map[string]chan sioclient.Reason{}}
	reports := make(checks, 1)
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(adminPage)))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		page, err := http.Dir(adminPage).Open("index.html")
		if err != nil {
			t.Error(err)
			return
		}
		defer page.Close()
		_, _ = io.Copy(w, page)
		_, _ = io.WriteString(w, `<script src="/checks.js"></script><script src="/admin.js"></script>`)
	})
	for path, file := range map[string]string{"/admin.js": "admin.js", "/checks.js": "node/checks.js"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	}
	mux.HandleFunc("POST /member", crew.enlist)
	mux.HandleFunc("POST /emit", crew.emit)
	mux.HandleFunc("POST /lost", crew.wasLost)
	mux.Handle("POST /results", reports)
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)

	opts := &sioserver.Options{}
	opts.Engine.CORS = &engineio.CORS{AllowedOrigins: []string{front.URL}, Credentials: true}
	server, err := sioserver.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	server.OnConnect(func(s *sioserver.Socket) { s.Join("boilers") })
	page, err := admin.Instrument(server, &admin.Options{
		ServerID: "station 7",
		Authenticate: func(_ context.Context, username, password string) bool {
			return username == "ann" && password == "pass word"
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	back := httptest.NewServer(server)
	t.Cleanup(func() {
		crew.dismiss()
		if err := page.Close(); err != nil {
			t.Error(err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		back.Close()
	})
	crew.url = back.URL
	browse(t, front.URL+"/?server="+back.URL, reports)
}

// crew are clients of the server, by the ids of their sockets.
type crew struct {
	*testing.T
	url string

	mu      sync.Mutex // guards what follows
	members map[string]*sioclient.Socket
	lost    map[string]chan sioclient.Reason
}

// enlist connects a client and answers its id.
func (c *crew) enlist(w http.ResponseWriter, r *http.Request) {
	s, err := sioclient.Dial(r.Context(), c.url, &sioclient.Options{
		Engine: engineio.DialOptions{Transports: []string{engineio.WebSocket}}, Timeout: time.Minute,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	id, lost := s.ID(), make(chan sioclient.Reason, 1)
	s.OnDisconnect(func(reason sioclient.Reason, _ error) { lost <- reason })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members[id], c.lost[id] = s, lost
	c.answer(w, id)
}

// emit lets a client send an event.
func (c *crew) emit(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer(w, fmt.Sprint(c.members[r.FormValue("id")].Emit("measured", map[string]float64{"celsius": 81.5})))
}

// wasLost answers why a client was disconnected, when it is.
func (c *crew) wasLost(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	lost := c.lost[r.FormValue("id")]
	c.mu.Unlock()
	select {
	case reason := <-lost:
		c.answer(w, string(reason))
	case <-r.Context().Done():
	}
}

func (c *crew) answer(w http.ResponseWriter, text string) {
	if err := json.NewEncoder(w).Encode(text); err != nil {
		c.Log(err)
	}
}

func (c *crew) dismiss() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.members {
		_ = s.Close()
	}
}
