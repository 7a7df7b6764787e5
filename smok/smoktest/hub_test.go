package smoktest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

func TestStartAndClose(t *testing.T) {
	t.Parallel()
	hub := smoktest.New(nil)
	if hub.URL() != "" || hub.NGTTAddr() != "" || hub.Up(smoktest.Both) == nil {
		t.Error("a hub before Start")
	}
	if err := hub.Start(); err != nil {
		t.Fatal(err)
	}
	if hub.Start() == nil {
		t.Error("started twice")
	}
	for range 2 {
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	}
	if hub.Start() == nil || hub.Restart(time.Hour) == nil {
		t.Error("started after Close")
	}
	if err := hub.Wait(t.Context(), func() bool { return false }); err == nil {
		t.Error("a closed hub waits")
	}
	if err := smoktest.New(nil).Close(); err != nil {
		t.Error(err)
	}
}

func TestStartReportsWhatItCannotListenOn(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, opts := range []smoktest.Options{{Addr: taken.Addr().String()}, {NGTTAddr: taken.Addr().String()}, {Addr: "no address"}} {
		hub := smoktest.New(&opts)
		if err := hub.Start(); err == nil {
			t.Errorf("%+v", opts)
		}
		_ = hub.Close()
	}
}

func TestSidesGoDownAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := startInMemory(t, smoktest.Options{})
		reachable := func(addr string) bool {
			c, err := network.DialContext(t.Context(), "tcp", addr)
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		}
		check := func(side smoktest.Side, rest, ngtt bool) {
			t.Helper()
			if got := reachable("hub.test:443"); got != rest {
				t.Errorf("%v down: REST reachable: %v", side, got)
			}
			if got := reachable(hub.NGTTAddr()); got != ngtt {
				t.Errorf("%v down: NGTT reachable: %v", side, got)
			}
		}
		for _, side := range []smoktest.Side{smoktest.REST, smoktest.NGTT, smoktest.Both} {
			hub.Down(side)
			hub.Down(side)
			check(side, side&smoktest.REST == 0, side&smoktest.NGTT == 0)
			for range 2 {
				if err := hub.Up(side); err != nil {
					t.Fatal(err)
				}
			}
			check(0, true, true)
		}
		if d := cmp.Diff("REST NGTT both", fmt.Sprint(smoktest.REST, " ", smoktest.NGTT, " ", smoktest.Both)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		began := time.Now()
		if err := hub.Restart(time.Hour); err != nil || time.Since(began) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		check(0, true, true)
	})
}

func TestConnectionsAreReset(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p := connect(t, hub, "pump")
	p.want("GET", "/v1/device/sensors", nil, `[]`)
	hung := hub.Inject(smoktest.Fault{Kind: smoktest.FaultHang, Times: 1})
	failed := make(chan error, 1)
	go func() {
		_, _, err := p.exchange("POST", orders, nil) // a GET would be repeated by the transport
		failed <- err
	}()
	if err := hub.Wait(t.Context(), func() bool { return hung.Hits() == 1 }); err != nil {
		t.Fatal(err)
	}
	hub.ResetConnections(smoktest.REST)
	if err := <-failed; err == nil {
		t.Error("the request went on")
	}
	p.want("GET", "/v1/device/sensors", nil, `[]`)
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := startInMemory(t, smoktest.Options{})
		p, pump := dial(t, hub, "pump", network.DialContext), hub.Device("pump")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := hub.Wait(ctx, func() bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		waited := make(chan error, 1)
		go func() {
			waited <- hub.Wait(t.Context(), func() bool { return pump.Counts().Samples == 2 && len(hub.Requests()) == 2 })
		}()
		p.want("POST", pathpoints, series("W1", list{1, 1}), `{}`)
		p.want("POST", pathpoints, series("W1", list{2, 1}), `{}`)
		if err := <-waited; err != nil {
			t.Error(err)
		}
		go func() {
			waited <- hub.Wait(t.Context(), func() bool { _, _, ok := pump.Metadata("k"); return ok })
		}()
		synctest.Wait()
		pump.SetMetadata("k", "", time.Now()) // what tests change counts, too
		if err := <-waited; err != nil {
			t.Error(err)
		}
		go func() { waited <- hub.Wait(t.Context(), func() bool { return false }) }()
		synctest.Wait()
		_ = hub.Close()
		if err := <-waited; err == nil {
			t.Error("waited for a closed hub")
		}
	})
}
