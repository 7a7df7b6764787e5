package wsclient_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestOB01Stats(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(func(s *wstest.Session) error {
			for range 2 {
				if _, err := s.Next(); err != nil {
					return err
				}
			}
			s.Send(wstest.Text("žluť"), wstest.Binary([]byte{1, 2, 3}), wstest.Text("third"))
			time.Sleep(time.Minute)
			return errors.Join(s.Send(wstest.CloseFrame(1012, "restart")), s.Discard())
		}), upgraded((*wstest.Session).Echo))
		m := w.manager(wsclient.Options{
			Reconnect: wsclient.ReconnectOptions{Backoff: steady, OnClose: func(wsclient.CloseInfo) wsclient.Decision {
				return wsclient.Decision{MinDelay: 10 * time.Second}
			}},
			Receive:   wsclient.ReceiveOptions{MaxMessages: 2},
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1},
		})
		w.net.Refuse(host)
		m.Start(t.Context())
		time.Sleep(500 * time.Millisecond)
		w.net.Allow(host)
		time.Sleep(time.Second)
		if err := errors.Join(m.Send(t.Context(), wsclient.Text, []byte("ab")), m.Send(t.Context(), wsclient.Binary, []byte("cde"))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(90 * time.Second)
		synctest.Wait()
		want := wsclient.Stats{
			Connects: 2, Disconnects: 1, ReactiveDisconnects: 1,
			DisconnectsByReason: map[wsclient.DisconnectReason]uint64{wsclient.ReasonServerClosed: 1},
			Attempts:            3, FailedAttempts: 1,
			MessagesReceived: 3, MessagesSent: 2, BytesReceived: 6 + 3 + 5, BytesSent: 5,
			Uptime: 91500 * time.Millisecond, CurrentUptime: 20 * time.Second, ConnectionTime: 20 * time.Second,
			TotalDowntime: 10 * time.Second,
			Dropped:       1, GapEvents: 1, InboundDepth: 2, InboundHighWater: 2, InboundBytes: 9,
			Generation: 2, Endpoint: "ws://" + host + "/feed", State: wsclient.StateConnected,
		}
		got := m.Stats()
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(wsclient.Stats{}, "LastConnectTime", "LastDisconnectTime",
			"LastMessageTime", "WireBytesIn", "WireBytesOut", "Flushes", "LastError", "LastClose")); diff != "" {
			t.Errorf("counters (-want +got):\n%s", diff)
		}
		if at := got.LastMessageTime.Sub(w.log.began); at != 1500*time.Millisecond {
			t.Errorf("last message after %v", at)
		}
		if got.LastConnectTime.Sub(got.LastDisconnectTime) != 10*time.Second || got.LastClose.Code != 1012 ||
			!errors.Is(got.LastError, wsclient.ErrClosed) {
			t.Errorf("%+v", got)
		}
		if got.WireBytesIn < 100 || got.WireBytesOut < 100 || got.Flushes < 4 {
			t.Errorf("on the network: %d in, %d out with %d writes", got.WireBytesIn, got.WireBytesOut, got.Flushes)
		}
		m.ResetStats()
		if diff := cmp.Diff(wsclient.Stats{
			CurrentUptime: 20 * time.Second, InboundDepth: 2, InboundHighWater: 2, InboundBytes: 9,
			Generation: 2, Endpoint: want.Endpoint, State: wsclient.StateConnected,
		}, m.Stats()); diff != "" {
			t.Errorf("after a reset (-want +got):\n%s", diff)
		}
	})
}

func TestOB02StatsUnderLoad(t *testing.T) {
	t.Parallel()
	leak.Check(t)
	srv, err := wstest.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	m, err := wsclient.New(srv.URL(), &wsclient.Options{
		Dial: wsclient.DialOptions{Proxy: noProxy}, Receive: wsclient.ReceiveOptions{Overflow: wsclient.Block},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	const workers = 8
	each := size(2000, 400, 2000)
	var senders, others sync.WaitGroup
	for range workers {
		senders.Go(func() {
			for range each {
				if err := m.Send(t.Context(), wsclient.Text, []byte("0123456789")); err != nil {
					t.Error(err)
					return
				}
			}
		})
		others.Go(func() {
			for range each {
				if _, err := m.Receive(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		var last wsclient.Stats
		for {
			s := m.Stats()
			if s.MessagesSent < last.MessagesSent || s.MessagesReceived < last.MessagesReceived || s.Connects != 1 {
				t.Errorf("%+v after %+v", s, last)
			}
			last = s
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	senders.Wait()
	others.Wait()
	close(stop)
	reader.Wait()
	s := m.Stats()
	total := uint64(workers * each)
	if s.MessagesSent != total || s.MessagesReceived != total || s.BytesSent != 10*total || s.BytesReceived != 10*total || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
}

// A manager keeps as many goroutines as documented, and none and no file when it is closed.
func TestOB03NothingLeft(t *testing.T) {
	leak.Check(t)
	srv, err := wstest.Start(&wstest.Options{Handler: idle})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	settle(t, "beginning", 0) // those of earlier tests are leaving
	files := openFiles(t)
	o := wsclient.Options{
		Dial: wsclient.DialOptions{Proxy: noProxy}, Send: wsclient.SendOptions{Mode: wsclient.SendQueued},
		Control: wsclient.ControlOptions{ShouldDisconnect: func() bool { return false }, MaxConnectionAge: time.Hour},
	}
	for range 10 {
		m, err := wsclient.New(srv.URL(), &o)
		if err != nil {
			t.Fatal(err)
		}
		if n := own(); n != 0 {
			t.Errorf("%d goroutines before Connect", n)
		}
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		settle(t, "connected", 3)
		if err := m.Disconnect(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		settle(t, "disconnected", 0)
		m.Connect(t.Context())
		m.Close()
		settle(t, "closed", 0) // the last of them has said that it is done, and is just leaving
	}
	srv.Close()
	for deadline := time.Now().Add(time.Minute); openFiles(t) > files; {
		if time.Now().After(deadline) {
			t.Fatalf("%d files are open, %d before", openFiles(t), files)
		}
		runtime.Gosched()
	}
}

// settle waits until at most n goroutines of the manager are left.
func settle(t *testing.T, when string, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); own() > n; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines when %s, want %d", own(), when, n)
		}
	}
}

// own counts the goroutines that managers have started.
func own() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "created by github.com/fieldlink-go/fieldlink/wsclient.(*tasks).Go")
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("open files cannot be counted here")
	}
	return len(files)
}

func TestMetricsAndLog(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serveOpts(wstest.Options{Handler: wstest.Echo, Request: func(_ http.ResponseWriter, r *http.Request) bool {
			return true
		}})
		metrics := &gauges{m: make(map[string]float64)}
		var text lockedBuffer
		m := w.connect(wsclient.Options{
			Metrics: metrics, Logger: slog.New(slog.NewTextHandler(&text, nil)),
			Reconnect: wsclient.ReconnectOptions{Backoff: steady, MaxAttempts: 2},
			Dial:      wsclient.DialOptions{Header: http.Header{"Authorization": {"Bearer S3CRET"}}},
		})
		m.Send(t.Context(), wsclient.Text, []byte("payload"))
		m.Receive(t.Context())
		time.Sleep(30 * time.Second)
		w.net.Refuse(host)
		w.net.ResetAll()
		<-m.Done()
		want := map[string]float64{
			"state": 0, "connects": 1, "disconnects": 1, "attempts": 3, "failed_attempts": 2, "rtt_seconds": 0,
			"messages_sent": 1, "messages_received": 1, "bytes_sent": 7, "bytes_received": 7, "uptime_seconds": 30,
		}
		synctest.Wait()
		if diff := cmp.Diff(want, metrics.m); diff != "" {
			t.Errorf("metrics (-want +got):\n%s", diff)
		}
		for _, line := range []string{"level=INFO msg=connected", "level=INFO msg=disconnected", `level=WARN msg="attempt failed"`, `level=ERROR msg="gave up"`} {
			if !strings.Contains(text.String(), line) {
				t.Errorf("the log lacks %q:\n%s", line, text.String())
			}
		}
		for _, secret := range []string{"S3CRET", "payload"} {
			if strings.Contains(text.String(), secret) {
				t.Errorf("the log has %q", secret)
			}
		}
	})
}

// gauges adds up what it gets.
type gauges struct {
	mu sync.Mutex
	m  map[string]float64
}

func (g *gauges) Add(name string, n uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.m[name] += float64(n)
}

func (g *gauges) Set(name string, v float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.m[name] = v
}

func (g *gauges) Observe(name string, v float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.m[name] += v
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// The alert about a full queue comes with the first loss, and then once a second.
func TestAlertsAreFew(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(func(c *wsconn.Conn) {
			for range 1500 {
				c.Write(wsconn.Text, []byte("x"))
			}
			time.Sleep(10 * time.Second)
			c.Write(wsconn.Text, []byte("x"))
			idle(c)
		})
		var alerts []uint64
		m := w.connect(wsclient.Options{
			Receive: wsclient.ReceiveOptions{MaxMessages: 100},
			Hooks: wsclient.Hooks{OnAlert: func(channel, message string, c map[string]any) {
				if channel != "websocket" || c["queue_size"] != 100 {
					t.Errorf("alert on %s: %s %v", channel, message, c)
				}
				alerts = append(alerts, c["dropped"].(uint64))
			}},
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if diff := cmp.Diff([]uint64{1, 1399, 1}, alerts); diff != "" {
			t.Errorf("dropped (-want +got):\n%s", diff)
		}
		if n := m.Stats().Dropped; n != 1401 {
			t.Errorf("%d dropped", n)
		}
	})
}
