package wsconn_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// What was written to a connection that stands still arrives after its end, or does not.
func TestSetLinger(t *testing.T) {
	t.Parallel()
	for sec, want := range map[int][]string{0: {"early"}, -1: {"early", "late"}} {
		t.Run(fmt.Sprint(sec), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, n *netem.Network) {
				p := connect(t, n, wsconn.DialOptions{}, wsconn.AcceptOptions{})
				var got []string
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					for {
						_, data, err := p.server.Read(nil)
						if err != nil {
							return
						}
						got = append(got, string(data))
					}
				}()
				write := func(text string) {
					if err := p.client.Write(wsconn.Text, []byte(text)); err != nil {
						t.Fatal(err)
					}
				}
				if err := p.client.SetLinger(sec); err != nil {
					t.Fatal(err)
				}
				write("early")
				synctest.Wait()
				n.Stall(netem.Up)
				write("late")
				if err := p.client.CloseNow(); err != nil {
					t.Error(err)
				}
				n.Resume(netem.Up)
				<-ended
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("arrived (-want +got):\n%s", d)
				}
				if err := p.client.SetLinger(sec); !errors.Is(err, wsconn.Err) {
					t.Errorf("after the end: %v", err)
				}
			})
		})
	}
}

// plain is a network connection with nothing but the methods of its interface.
type plain struct{ net.Conn }

func TestSetLingerUnsupported(t *testing.T) {
	t.Parallel()
	peer := play(t, upgraded(discard))
	c := dial(t, peer.URL(), &wsconn.DialOptions{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return plain{conn}, err
	}})
	if err := c.SetLinger(0); !errors.Is(err, errors.ErrUnsupported) || !errors.Is(err, wsconn.Err) {
		t.Errorf("error is %v", err)
	}
}
