package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver/admin"
	"github.com/fieldlink-go/fieldlink/sioclient/siotest"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// client is a raw client that answers heartbeats.
type client struct {
	t    *testing.T
	conn *wsconn.Conn
	got  chan string
}

func dial(t *testing.T, srv *siotest.Server) *client {
	t.Helper()
	conn, err := wsconn.Dial(context.Background(), srv.URL()+"/socket.io/?EIO=4&transport=websocket",
		&wsconn.DialOptions{DialContext: srv.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, conn: conn, got: make(chan string, 1<<12)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, data, err := conn.Read(nil)
			if err != nil {
				return
			}
			if string(data) == "2" {
				data = []byte("3")
				_ = conn.Write(wsconn.Text, data)
				continue
			}
			c.got <- string(data)
		}
	}()
	t.Cleanup(func() {
		_ = conn.CloseNow()
		<-done
	})
	c.next("0{")
	return c
}

func (c *client) send(packet string) {
	c.t.Helper()
	if err := c.conn.Write(wsconn.Text, []byte(packet)); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next packet with a prefix; others are skipped.
func (c *client) next(prefix string) string {
	c.t.Helper()
	end := time.After(time.Hour) // on the clock of the bubble
	for {
		select {
		case m := <-c.got:
			if strings.HasPrefix(m, prefix) {
				return m
			}
		case <-end:
			c.t.Fatalf("nothing came that begins with %q", prefix)
		}
	}
}

// event waits for an event of the page and decodes its arguments.
func (c *client) event(name string) []any {
	c.t.Helper()
	m := c.next(`42/admin,["` + name + `"`)
	var args []any
	if err := json.Unmarshal([]byte(m[len("42/admin,"):]), &args); err != nil {
		c.t.Fatal(err)
	}
	return args[1:]
}

// page starts a server with an admin namespace and connects a page to it.
func page(t *testing.T, opts *admin.Options) (*siotest.Server, *client) {
	t.Helper()
	srv, err := siotest.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := admin.Instrument(srv.Server, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(a.Close(), a.Close(), srv.Close()); err != nil {
			t.Error(err)
		}
	})
	c := dial(t, srv)
	c.send("40/admin,")
	return srv, c
}

func check(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
}

// member joins the main namespace and returns the id of its socket.
func member(t *testing.T, srv *siotest.Server) (*client, string) {
	t.Helper()
	c := dial(t, srv)
	c.send("40")
	rest := c.next(`40{"sid":"`)[len(`40{"sid":"`):]
	id, _, _ := strings.Cut(rest, `"`)
	synctest.Wait()
	return c, id
}

func TestDevelopment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, ui := page(t, &admin.Options{Open: true})
		srv.OnConnect(func(s *sioserver.Socket) {
			s.On("up", func(*sioserver.Event) error { return s.Emit("down", 1, []byte("x")) })
			s.On("join", func(*sioserver.Event) error { s.Join("r"); s.Leave("r"); s.SetData("d"); return nil })
		})
		config := ui.event("config")
		check(t, any([]any{
			"EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT", "AGGREGATED_EVENTS", "ALL_EVENTS",
		}), config[0].(map[string]any)["supportedFeatures"])
		all := ui.event("all_sockets")[0].([]any)
		check(t, 1, len(all)) // the page itself
		check(t, any("/admin"), all[0].(map[string]any)["nsp"])

		c, id := member(t, srv)
		connected := ui.event("socket_connected")
		s := connected[0].(map[string]any)
		if s["nsp"] == "/admin" { // the page itself, told of before the config or after it
			connected = ui.event("socket_connected")
			s = connected[0].(map[string]any)
		}
		check(t, []any{id, "websocket", "/", []any{id}}, []any{s["id"], s["transport"], s["nsp"], s["rooms"]})
		for _, key := range []string{"address", "headers", "query", "issued", "secure", "time", "url", "xdomain"} {
			if _, ok := s["handshake"].(map[string]any)[key]; !ok {
				t.Errorf("no %s in the handshake", key)
			}
		}
		if _, err := time.Parse(time.RFC3339Nano, connected[1].(string)); err != nil {
			t.Error(err)
		}
		c.send(`42["up",{"a":1}]`)
		got := ui.event("event_received")
		check(t, []any{"/", id, []any{"up", map[string]any{"a": 1.0}}}, got[:3])
		got = ui.event("event_sent")
		check(t, []any{"/", id, []any{"down", 1.0, map[string]any{"_placeholder": true, "num": 0.0}}}, got[:3])
		c.send(`42["join"]`)
		check(t, []any{"/", "r", id}, ui.event("room_joined")[:3])
		check(t, []any{"/", "r", id}, ui.event("room_left")[:3])
		check(t, any("d"), ui.event("socket_updated")[0].(map[string]any)["data"])
		c.send("41")
		check(t, []any{"/", id, "client namespace disconnect"}, ui.event("socket_disconnected")[:3])
	})
}

func TestStats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, ui := page(t, &admin.Options{Open: true, Mode: admin.Production, ServerID: "one"})
		config := ui.event("config")
		check(t, 8, len(config[0].(map[string]any)["supportedFeatures"].([]any)))
		_, _ = member(t, srv)
		first := ui.event("server_stats")[0].(map[string]any)
		check(t, []any{"one", 2.0, 0.0}, []any{first["serverId"], first["clientsCount"], first["pollingClientsCount"]})
		for _, key := range []string{"hostname", "pid", "uptime"} {
			if first[key] == nil {
				t.Errorf("no %s", key)
			}
		}
		check(t, 2, len(first["namespaces"].([]any)))
		counts := map[string]float64{}
		for _, e := range first["aggregatedEvents"].([]any) {
			counts[e.(map[string]any)["type"].(string)] += e.(map[string]any)["count"].(float64)
		}
		check(t, 2.0, counts["rawConnection"])
		check(t, 2.0, counts["packetsIn"])
		if counts["packetsOut"] == 0 || counts["bytesIn"] == 0 || counts["bytesOut"] == 0 {
			t.Errorf("counted %v", counts)
		}
		start := time.Now()
		srv.CutAll()
		synctest.Wait()
		ui2 := dial(t, srv)
		ui2.send("40/admin,")
		for {
			stats := ui2.event("server_stats")[0].(map[string]any)
			raw, _ := json.Marshal(stats["aggregatedEvents"])
			if strings.Contains(string(raw), `"subType":"transport error"`) {
				break
			}
		}
		if d := time.Since(start); d > 4*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

func TestCommands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, ui := page(t, &admin.Options{Open: true})
		a, idA := member(t, srv)
		b, _ := member(t, srv)
		ui.send(`42/admin,["emit","/","` + idA + `","hi",1,{"x":2}]`)
		check(t, `42["hi",1,{"x":2}]`, a.next("42"))
		ui.send(`42/admin,["join","/","vip","` + idA + `"]`)
		ui.send(`42/admin,["emit","/","vip","vip"]`)
		check(t, `42["vip"]`, a.next("42"))
		ui.send(`42/admin,["emit","/",null,"all"]`)
		check(t, `42["all"]`, a.next("42"))
		check(t, `42["all"]`, b.next("42"))
		ui.send(`42/admin,["leave","/","vip"]`)
		synctest.Wait()
		check(t, []string{idA}, srv.Socket(idA).Rooms())
		ui.send(`42/admin,["emit","/nowhere",null,"x"]`)
		ui.send(`42/admin,["join"]`)
		ui.send(`42/admin,["_disconnect","/",false,"` + idA + `"]`)
		check(t, "41", a.next("41"))
		synctest.Wait()
		check(t, 1, srv.Len())
		check(t, 2, len(srv.Namespaces()))
	})
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, ui := page(t, &admin.Options{Open: true, ReadOnly: true})
		check(t, any([]any{"AGGREGATED_EVENTS", "ALL_EVENTS"}), ui.event("config")[0].(map[string]any)["supportedFeatures"])
		_, _ = member(t, srv)
		ui.send(`42/admin,["_disconnect","/",true]`)
		synctest.Wait()
		check(t, 1, srv.Len())
	})
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, ui := page(t, &admin.Options{
			SessionTTL: time.Hour,
			Authenticate: func(_ context.Context, name, password string) bool {
				return name == "root" && password == "secret"
			},
		})
		refused := `44/admin,{"message":"invalid credentials"}`
		check(t, refused, ui.next("44"))
		for _, auth := range []string{`{"username":"root","password":"x"}`, `{"sessionId":"x"}`, `{"username":7}`, `{}`} {
			ui.send("40/admin," + auth)
			check(t, refused, ui.next("44"))
		}
		ui.send(`40/admin,{"username":"root","password":"secret"}`)
		ui.next(`40/admin,{`) // the page does not listen before
		session := ui.event("session")[0].(string)
		again := dial(t, srv)
		again.send(`40/admin,{"sessionId":"` + session + `"}`)
		again.next("40/admin,")
		time.Sleep(time.Hour)
		late := dial(t, srv)
		late.send(`40/admin,{"sessionId":"` + session + `"}`)
		check(t, refused, late.next("44"))
	})
}

func TestInstrumentOptions(t *testing.T) {
	t.Parallel()
	srv, err := sioserver.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = admin.Instrument(srv, nil)
	if e := new(sioclient.InvalidError); !errors.As(err, &e) || e.Field != "Authenticate" {
		t.Errorf("got %v", err)
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
}

// TestFlood: what pages are not told fast enough is dropped before it takes much memory, and the page goes on.
func TestFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opts := sioserver.Options{}
		opts.Engine.Queue.Bytes = 32 << 20
		srv, err := siotest.NewServer(&opts)
		if err != nil {
			t.Fatal(err)
		}
		a, err := admin.Instrument(srv.Server, &admin.Options{Open: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := errors.Join(a.Close(), srv.Close()); err != nil {
				t.Error(err)
			}
		})
		ui := dial(t, srv)
		ui.send("40/admin,")
		ui.event("config")
		_, id := member(t, srv)
		check(t, int64(0), a.Dropped())
		check(t, nil, srv.To(id).Emit("large", strings.Repeat("x", 9<<20)))
		check(t, int64(1), a.Dropped())
		c, id2 := member(t, srv)
		check(t, nil, srv.To(id2).Emit("small", 1))
		c.next(`42["small"`)
		check(t, []any{"/", id2, []any{"small", 1.0}}, ui.event("event_sent")[:3])
	})
}

// TestClosed: nobody is let in any more, and who was about to be is sent away.
func TestClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		srv, err := siotest.NewServer(nil)
		if err != nil {
			t.Fatal(err)
		}
		asked, let := make(chan bool, 1), make(chan bool)
		a, err := admin.Instrument(srv.Server, &admin.Options{
			Authenticate: func(context.Context, string, string) bool {
				asked <- true
				<-let
				return true
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ui := dial(t, srv)
		ui.send("40/admin,")
		<-asked
		check(t, nil, a.Close())
		close(let)
		ui.next("41/admin,")
		ui.send("40/admin,")
		check(t, `44/admin,{"message":"closed"}`, ui.next("44"))
		check(t, nil, srv.Close())
	})
}
