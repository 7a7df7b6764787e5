package wsclient_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// What cannot be sent is turned down before anything happens.
func TestSendBadInput(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(wstest.Echo)
		m := w.connect(wsclient.Options{Send: wsclient.SendOptions{MaxMessage: 3}})
		for name, err := range map[string]error{
			"type": m.Send(t.Context(), 7, nil),
			"text": m.Send(t.Context(), wsclient.Text, []byte{0xFF}),
		} {
			if want[*wsclient.ConfigError](t, err).Field != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		e := want[*wsclient.MessageTooBigError](t, m.Send(t.Context(), wsclient.Binary, []byte("1234")))
		if e.Size != 4 || e.Limit != 3 || e.Direction != wsclient.Outbound {
			t.Errorf("%#v", e)
		}
		if err := m.Send(t.Context(), wsclient.Binary, []byte("123")); err != nil {
			t.Error(err)
		}
		if msg, err := m.Receive(t.Context()); err != nil || string(msg.Data) != "123" {
			t.Errorf("received %q, %v", msg.Data, err)
		}
	})
}

// The end of its context ends a call of Send, and neither the message nor the connection.
func TestSendContext(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		release := make(chan struct{})
		var got [][]byte
		w.serve(func(c *wsconn.Conn) {
			<-release
			for {
				_, data, err := c.Read(nil)
				if err != nil {
					return
				}
				got = append(got, data)
			}
		})
		m := w.connect(wsclient.Options{Conn: wsconn.Options{WriteTimeout: time.Hour}, Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1}})
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		err := m.Send(canceled, wsclient.Text, []byte("never"))
		if !errors.Is(err, context.Canceled) || !errors.Is(err, wsclient.Err) || errors.Is(err, wsclient.ErrMaybeSent) {
			t.Errorf("done before: %v", err)
		}

		brief := func() (context.Context, context.CancelFunc) { return context.WithTimeout(t.Context(), time.Second) }
		ctx, cancel := brief()
		defer cancel()
		long := make([]byte, 1<<20-1) // more than the network takes
		began := time.Now()
		err = m.Send(ctx, wsclient.Binary, long)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, wsclient.ErrMaybeSent) || time.Since(began) != time.Second {
			t.Errorf("while writing: %v after %v", err, time.Since(began))
		}
		clear(long)
		long[0] = 1 // it is the caller's again

		ctx, cancel = brief()
		defer cancel()
		err = m.Send(ctx, wsclient.Text, []byte("never"))
		if e := want[*wsclient.TimeoutError](t, err); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, wsclient.ErrMaybeSent) || e.Op != "send" {
			t.Errorf("while waiting for its turn: %v", err)
		}
		close(release)
		ctx, cancel = brief()
		defer cancel()
		if err := m.Send(ctx, wsclient.Text, []byte("last")); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(got) != 2 || len(got[0]) != len(long) || slices.Max(got[0]) != 0 || string(got[1]) != "last" {
			t.Errorf("the peer got %d messages", len(got))
		}
		w.inState(m, wsclient.StateConnected)
	})
}

// Messages of one caller go out in the order of its calls, also when one was left to be completed in the background.
func TestSendOrderAfterMaybeSent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var got []int
		w.serve(func(c *wsconn.Conn) {
			for {
				_, data, err := c.Read(nil)
				if err != nil {
					return
				}
				n, _ := strconv.Atoi(string(data))
				got = append(got, n)
			}
		})
		m := w.connect(wsclient.Options{})
		maybe := 0
		for n := 0; n < 4000; n += 2 {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			if err := m.Send(ctx, wsclient.Text, []byte(strconv.Itoa(n))); errors.Is(err, wsclient.ErrMaybeSent) {
				maybe++
			}
			if err := m.Send(context.Background(), wsclient.Text, []byte(strconv.Itoa(n+1))); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if !slices.IsSorted(got) || len(got) < 2000 {
			t.Errorf("%d messages came, sorted: %v; %d calls gave up while writing", len(got), slices.IsSorted(got), maybe)
		}
	})
}

// A peer that takes nothing ends the connection, with the reason for that.
func TestWriteTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.play(upgraded(hold))
		m := w.connect(wsclient.Options{
			Conn:      wsconn.Options{WriteTimeout: 5 * time.Second},
			Heartbeat: wsclient.HeartbeatOptions{PingInterval: -1}, Reconnect: wsclient.ReconnectOptions{Disabled: true},
		})
		err := m.Send(context.Background(), wsclient.Binary, make([]byte, 1<<20))
		if e := want[*wsclient.TimeoutError](t, err); e.Op != "send" {
			t.Errorf("%#v", e)
		}
		<-m.Done()
		synctest.Wait()
		if lost := w.log.lost(); len(lost) != 1 || lost[0].Reason != wsclient.ReasonWriteTimeout {
			t.Errorf("OnDisconnect: %+v", lost)
		}
	})
}

func TestNegotiated(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serveOpts(wstest.Options{Handler: idle, Accept: &wsconn.AcceptOptions{
			Subprotocols: []string{"b"}, Options: wsconn.Options{Compression: wsconn.CompressionNoContextTakeover},
		}})
		m := w.manager(wsclient.Options{
			Dial: wsclient.DialOptions{Subprotocols: []string{"a", "b"}},
			Conn: wsconn.Options{Compression: wsconn.CompressionNoContextTakeover},
		})
		if m.Response() != nil || m.Negotiated() != (wsclient.Negotiated{}) || m.Healthy() || m.URL() != "ws://"+host+"/feed" {
			t.Error("something is known before the first connection")
		}
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := wsclient.Negotiated{Subprotocol: "b", Compressed: true}
		if got := m.Negotiated(); got != want || m.Response().StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("%+v, %v", got, m.Response().Status)
		}
	})
}

func TestHealthy(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.connect(wsclient.Options{Heartbeat: wsclient.HeartbeatOptions{PingInterval: 10 * time.Second, PingTimeout: 20 * time.Second}})
		time.Sleep(time.Minute)
		if !m.Healthy() {
			t.Error("not healthy")
		}
		m.Kill()
		if m.Healthy() {
			t.Error("healthy without a connection")
		}
	})
}

// An observer that is too slow gets the latest change and the number of those it missed.
func TestStateChangesSkipped(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.serve(idle)
		m := w.manager(wsclient.Options{})
		release := make(chan struct{})
		done := make(chan []wsclient.StateChange)
		go func() {
			var changes []wsclient.StateChange
			for c := range m.StateChanges(t.Context()) {
				<-release
				changes = append(changes, c)
			}
			done <- changes
		}()
		synctest.Wait()
		for range 100 {
			m.Connect(t.Context())
			synctest.Wait() // until the observer has the first change, and waits
			m.Disconnect(t.Context(), nil)
		}
		m.Close()
		close(release)
		changes := <-done
		last := changes[len(changes)-1]
		if last.To != wsclient.StateClosed || last.Seq != 302 || len(changes)+last.Skipped != 302 {
			t.Errorf("%d changes, the last one: %+v", len(changes), last)
		}
		for i, c := range changes[:len(changes)-1] {
			if c.Seq != uint64(i+1) || c.Skipped != 0 {
				t.Errorf("change %d: %+v", i, c)
			}
		}
	})
}

// A change of state says why.
func TestStateChangeTellsAll(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		srv := w.serve(idle)
		var changes []wsclient.StateChange
		w.connect(wsclient.Options{
			Reconnect: wsclient.ReconnectOptions{Backoff: steady},
			Hooks:     wsclient.Hooks{OnStateChange: func(c wsclient.StateChange) { changes = append(changes, c) }},
		})
		srv.CloseConns(1001, "restart")
		w.net.Refuse(host)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		c := changes[2]
		if c.From != wsclient.StateConnected || c.To != wsclient.StateReconnecting || c.Reason != wsclient.ReasonServerClosed ||
			c.Close == nil || c.Close.Code != 1001 || c.NextDelay != time.Second || c.Endpoint != "ws://"+host+"/feed" || c.Err == nil {
			t.Errorf("the loss: %+v", c)
		}
		c = changes[4]
		if c.To != wsclient.StateReconnecting || c.Attempt != 1 || c.NextDelay != 2*time.Second || !errors.Is(c.Err, wsclient.ErrConnection) {
			t.Errorf("the attempt that failed: %+v", c)
		}
		var seqs []uint64
		for _, c := range changes {
			seqs = append(seqs, c.Seq)
		}
		if diff := cmp.Diff([]uint64{1, 2, 3, 4, 5}, seqs[:5]); diff != "" {
			t.Errorf("numbers (-want +got):\n%s", diff)
		}
	})
}

// Callbacks of the policy may call the manager as well.
func TestCloseInPolicyCallbacks(t *testing.T) {
	for _, name := range []string{"OnClose", "Delay"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.serve(idle)
				var m *wsclient.Manager
				r := wsclient.ReconnectOptions{OnClose: func(wsclient.CloseInfo) wsclient.Decision {
					m.Close()
					return wsclient.Decision{}
				}}
				if name == "Delay" {
					r = wsclient.ReconnectOptions{Strategy: wsclient.Callback, Delay: func(wsclient.Attempt) (time.Duration, error) {
						m.Close()
						return 0, nil
					}}
				}
				m = w.connect(wsclient.Options{Reconnect: r})
				began := time.Now()
				w.net.ResetAll()
				if _, err := m.WaitState(t.Context(), wsclient.StateClosed); err != nil || time.Since(began) > 2*time.Second {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				synctest.Wait()
				if n := len(w.log.lost()); n != 1 {
					t.Errorf("OnDisconnect was called %d times", n)
				}
			})
		})
	}
}
