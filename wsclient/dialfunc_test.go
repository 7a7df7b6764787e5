package wsclient_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
	"github.com/fieldlink-go/fieldlink/wsclient/wstest"
)

// The program makes the connections; failures of every sort are tried again as those of the manager's own dials.
func TestDialFunc(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := netem.New(nil)
		srv := serve(t, network, "peer.test:80", wstest.Options{})
		boom := errors.New("boom")
		o := at(network, wsclient.ReconnectOptions{Backoff: steady})
		o.Dial.URLFunc = func(context.Context, wsclient.Attempt) (string, error) {
			t.Error("asked for an address")
			return "", nil
		}
		var late *wsconn.Conn
		o.Dial.DialFunc = func(ctx context.Context, a wsclient.Attempt) (*wsconn.Conn, error) {
			switch a.Number {
			case 1:
				return nil, boom
			case 2:
				panic("boom")
			case 3:
				return nil, nil
			}
			conn, err := wsconn.Dial(context.WithoutCancel(ctx), peerURL, &wsconn.DialOptions{DialContext: network.DialContext})
			if a.Number == 4 {
				<-ctx.Done() // too slow
				late = conn
			}
			return conn, err
		}
		m, d := manage(t, peerURL, o)
		if err := m.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if diff := cmp.Diff(seconds(1, 2, 4, 30+8), d.pauses()); diff != "" {
			t.Errorf("pauses (-want +got):\n%s", diff)
		}
		if f := d.told().failures; !errors.Is(f[0].Err, boom) || !errors.Is(f[0].Err, wsclient.ErrConnection) {
			t.Errorf("the first failure: %v", f[0].Err)
		}
		if _, ok := errors.AsType[*wsclient.TimeoutError](d.told().failures[3].Err); !ok || late.Err() == nil {
			t.Errorf("the fourth failure: %v; its connection: %v", d.told().failures[3].Err, late.Err())
		}
		if err := m.Send(t.Context(), wsclient.Text, []byte("hello")); err != nil {
			t.Error(err)
		}
		d.forget()
		srv.DropConns()
		synctest.Wait()
		time.Sleep(5 * time.Minute) // until after the failures of the next outage
		if !m.IsConnected() || len(d.told().failures) != 4 {
			t.Errorf("connected %v after %d failures", m.IsConnected(), len(d.told().failures))
		}
	})
}

// The program's errors can be found in those of the manager, and end the attempts if they are to.
func TestDialFuncGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		o := at(netem.New(nil), wsclient.ReconnectOptions{})
		o.Dial.DialFunc = func(context.Context, wsclient.Attempt) (*wsconn.Conn, error) {
			return nil, errors.Join(wsclient.ErrGiveUp, fmt.Errorf("account closed: %w", boom))
		}
		m, d := manage(t, peerURL, o)
		err := m.Connect(t.Context())
		synctest.Wait()
		if !errors.Is(err, boom) || !errors.Is(err, wsclient.ErrConnection) || len(d.told().attempts) != 1 {
			t.Errorf("%v after %d attempts", err, len(d.told().attempts))
		}
	})
}

// Close ends a dial of the program.
func TestDialFuncIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := at(netem.New(nil), wsclient.ReconnectOptions{})
		began := make(chan struct{})
		o.Dial.HandshakeTimeout = -1
		o.Dial.DialFunc = func(ctx context.Context, _ wsclient.Attempt) (*wsconn.Conn, error) {
			close(began)
			<-ctx.Done()
			return nil, ctx.Err()
		}
		m, _ := manage(t, peerURL, o)
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-began
		start := time.Now()
		if err := m.Close(); err != nil || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
