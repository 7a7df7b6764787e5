package wsclient_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

func TestFI08LongMessageOnSlowLink(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *world) {
		long := bytes.Repeat([]byte("0123456789abcdef"), 10<<20/16)
		w.serve(func(c *wsconn.Conn) {
			go c.Write(wsconn.Binary, long)
			wstest.Echo(c)
		})
		w.net.Bandwidth(netem.Down, 100<<10)
		tr := w.try(wsclient.Options{Conn: wsconn.Options{ReadLimit: 16 << 20}}).connect()
		began := time.Now()
		msg, err := tr.m.Receive(t.Context())
		if err != nil || !bytes.Equal(msg.Data, long) {
			t.Fatalf("%d bytes, %v", len(msg.Data), err)
		}
		if took := time.Since(began); took < 100*time.Second || len(tr.lost) > 0 {
			t.Errorf("took %v, %d losses", took, len(tr.lost))
		}
		tr.works(1)
		tr.ends()
	})
}

// texts makes messages that tell their numbers, of 1 KiB each.
func texts(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("%04d%01020d", i, 0)
	}
	return texts
}

func TestFI09PeerStopsReading(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		send wsclient.SendOptions
		all  bool // whether everything is sent again
	}{
		{name: "queued", send: wsclient.SendOptions{Mode: wsclient.SendQueued}},
		{name: "at least once", all: true, send: wsclient.SendOptions{Mode: wsclient.SendAtLeastOnce, Ack: &wsclient.AckOptions{
			Extract: func(m wsclient.Message) (wsclient.Ack, bool) {
				return wsclient.Ack{IDs: []string{string(m.Data)}}, true
			},
			ID: func(o wsclient.Outgoing) string { return string(o.Data[:4]) },
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				sent := texts(200) // more than the window holds
				var before, after []string
				w.play(upgraded(func(s *wstest.Session) error {
					time.Sleep(time.Hour)
					for {
						f, err := s.Next()
						if err != nil {
							return nil
						}
						before = append(before, string(f.Payload))
					}
				}), upgraded(func(s *wstest.Session) error {
					for {
						f, err := s.Next()
						if err != nil {
							return nil
						}
						if f.Opcode != wstest.OpText {
							continue
						}
						after = append(after, string(f.Payload))
						s.Send(wstest.Text(string(f.Payload[:4])))
					}
				}))
				tr := w.try(wsclient.Options{Send: c.send, Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1}}).connect()
				began := time.Now()
				for _, text := range sent {
					if err := tr.m.Send(t.Context(), wsconn.Text, []byte(text)); err != nil {
						t.Fatal(err)
					}
				}
				tr.timedOut(wsclient.ReasonWriteTimeout, "send", 10*time.Second)
				if took := time.Since(began); took < 10*time.Second || took > 15*time.Second {
					t.Errorf("found after %v", took)
				}
				<-tr.gained
				if err := tr.m.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				if len(before) == 0 || len(before) == len(sent) {
					t.Fatalf("the peer had read %d messages", len(before))
				}
				want := sent[len(before):]
				if c.all {
					want = sent
				}
				if diff := cmp.Diff(want, after); diff != "" || !slices.Equal(before, sent[:len(before)]) {
					t.Errorf("on the second connection (-want +got):\n%s", diff)
				}
				if s := tr.m.Stats(); s.Disconnects != 2 || s.OutboundDepth != 0 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
	t.Run("direct", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(t *testing.T, w *world) {
			w.play(upgraded(hold), upgraded(echoes))
			tr := w.try(wsclient.Options{Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1}}).connect()
			var err error
			for err == nil {
				err = tr.m.Send(context.Background(), wsconn.Binary, make([]byte, 10_000))
			}
			if e := want[*wsclient.TimeoutError](t, err); e.Op != "send" || e.Limit != 10*time.Second {
				t.Errorf("Send: %v", err)
			}
			tr.timedOut(wsclient.ReasonWriteTimeout, "send", 10*time.Second)
			tr.recovers()
		})
	})
}

func TestFI10SlowReader(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]wsclient.SendMode{"direct": wsclient.SendDirect, "queued": wsclient.SendQueued} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, w *world) {
				const chunk, size = 10_000, 2_000_000
				received := make(chan int, 1)
				w.play(upgraded(func(s *wstest.Session) error {
					p, n := make([]byte, chunk), 0
					for n < size {
						k, err := s.Read(p)
						if err != nil {
							return err
						}
						n += k
						time.Sleep(time.Duration(k) * time.Second / chunk)
					}
					received <- n
					return s.Discard()
				}))
				tr := w.try(wsclient.Options{
					Send: wsclient.SendOptions{Mode: mode}, Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1},
				}).connect()
				began := time.Now()
				if err := tr.m.Send(t.Context(), wsconn.Binary, make([]byte, size)); err != nil {
					t.Fatal(err)
				}
				<-received
				if took := time.Since(began); took < 3*time.Minute || len(tr.lost) > 0 {
					t.Errorf("took %v, %d losses", took, len(tr.lost))
				}
				tr.ends()
			})
		})
	}
}
