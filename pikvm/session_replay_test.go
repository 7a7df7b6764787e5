package pikvm_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/pikvm"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// recordedFrame is an entry of testdata/ws_session.json, with one of the members set if the device sent it.
type recordedFrame struct {
	At     float64         `json:"t"` // seconds
	Text   json.RawMessage `json:"text"`
	Binary string          `json:"binary_hex"`
}

// TestSessionReplaysRecording: a session hears a recorded connection of 70 s, frame by frame and at the recorded pace.
func TestSessionReplaysRecording(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/ws_session.json")
	if err != nil {
		t.Fatal(err)
	}
	var frames []recordedFrame
	if err := json.Unmarshal(text, &frames); err != nil {
		t.Fatal(err)
	}
	var want []pikvm.Event
	for _, f := range frames {
		var ev struct {
			Type  pikvm.EventType `json:"event_type"`
			Event json.RawMessage `json:"event"`
		}
		if f.Text != nil && json.Unmarshal(f.Text, &ev) == nil && ev.Type != "pong" {
			want = append(want, pikvm.Event{Type: ev.Type, Data: ev.Event})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) { play(t, w, r, frames) })
		s, err := newClient(t, kvmHTTP, on(network, pikvm.Options{})).Events(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		sub := s.Subscribe()
		var got []pikvm.Event
		for len(got) < len(want) {
			got = append(got, next(t, sub))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("events (-want +got):\n%s", d)
		}
		if stats := s.Stats(); stats.Malformed != 0 || stats.Connections != 1 {
			t.Errorf("stats are %+v", stats)
		}
		if !ledIs(true)(s.State()) || s.Version() != (pikvm.Version{Major: 4, Minor: 197}) {
			t.Errorf("version %v, ATX %s", s.Version(), s.State().Raw(pikvm.EventATX))
		}
	})
}

// TestSessionPingsIdleLink: where nothing happens, the session asks for a sign of life, in the form that the device
// understands, and stays as long as it gets one.
func TestSessionPingsIdleLink(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, loop string
		want       string
		answers    int // then none
	}{
		{"new device", `{"event_type":"loop","event":{"version":{"major":4,"minor":53}}}`, "\x00", 1000},
		{"old device", `{"event_type":"loop","event":{"version":{"major":4,"minor":52}}}`, `{"event_type":"ping","event":{}}`, 1000},
		{"device that stops", `{"event_type":"loop","event":{"version":{"major":4,"minor":197}}}`, "\x00", 10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := netem.New(nil)
				var pings atomic.Int64
				serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
					conn, err := wsconn.Accept(w, r, nil)
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.CloseNow()
					if err := conn.Write(wsconn.Text, []byte(tc.loop)); err != nil {
						t.Error(err)
					}
					for {
						typ, p, err := conn.Read(nil)
						if err != nil {
							return
						}
						if string(p) != tc.want {
							t.Errorf("ping is %v %q, want %q", typ, p, tc.want)
						}
						pong := []byte{0xff}
						if typ == wsconn.Text {
							pong = []byte(`{"event_type":"pong","event":{}}`)
						}
						if pings.Add(1) <= int64(tc.answers) {
							_ = conn.Write(typ, pong)
						}
					}
				})
				s, err := newClient(t, kvmHTTP, on(network, pikvm.Options{})).Events(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				lost := s.Subscribe(pikvm.EventDisconnected)
				start := time.Now()
				ev, err := lost.Next(within(t, 10*time.Minute-time.Second))
				if tc.answers > 100 {
					if err == nil || pings.Load() != 119 {
						t.Errorf("%d pings in 10 minutes, lost %v", pings.Load(), ev.Err)
					}
					return
				}
				// Ten are answered, one every 5 s; then nothing comes for 15 s.
				if took := time.Since(start); err != nil || took != 65*time.Second || !errors.Is(ev.Err, errkit.Timeout) {
					t.Errorf("lost after %v: %v, %v", took, ev.Err, err)
				}
			})
		})
	}
}

// TestSessionLivesByServerPings: a device that answers no pings of ours and tells nothing new is alive as long as its
// own pings come, and it gets their answers.
func TestSessionLivesByServerPings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		const every, pings = 15 * time.Second, 40
		serveHTTP(t, network, func(w http.ResponseWriter, r *http.Request) {
			conn, err := wsconn.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			var reading sync.WaitGroup
			defer reading.Wait()
			defer conn.CloseNow()
			reading.Go(func() {
				for {
					if _, _, err := conn.Read(nil); err != nil {
						return
					}
				}
			})
			for range pings {
				time.Sleep(every)
				if _, err := conn.Ping(r.Context()); err != nil {
					t.Errorf("ping: %v", err)
					return
				}
			}
			<-conn.Done()
		})
		s, err := newClient(t, kvmHTTP, on(network, pikvm.Options{})).Events(t.Context(), &pikvm.EventOptions{SilenceTimeout: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		lost := s.Subscribe(pikvm.EventDisconnected)
		start := time.Now()
		ev, err := lost.Next(within(t, time.Hour))
		if took := time.Since(start); err != nil || took != pings*every+20*time.Second || !errors.Is(ev.Err, errkit.Timeout) {
			t.Errorf("lost after %v: %v, %v", took, ev.Err, err)
		}
		_ = s.Close()
	})
}

// play sends recorded frames at their time until the client leaves.
func play(t *testing.T, w http.ResponseWriter, r *http.Request, frames []recordedFrame) {
	conn, err := wsconn.Accept(w, r, nil)
	if err != nil {
		t.Error(err)
		return
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		for {
			if _, _, err := conn.Read(nil); err != nil {
				return
			}
		}
	}()
	start := time.Now()
	for _, f := range frames {
		if f.Text == nil && f.Binary == "" {
			continue // not sent by the device
		}
		time.Sleep(time.Until(start.Add(time.Duration(f.At * float64(time.Second)))))
		typ, data := wsconn.Text, []byte(f.Text)
		if f.Text == nil {
			typ = wsconn.Binary
			if data, err = hex.DecodeString(f.Binary); err != nil {
				t.Error(err)
			}
		}
		if err := conn.Write(typ, data); err != nil {
			t.Error(err)
		}
	}
	<-left
	_ = conn.CloseNow()
}
