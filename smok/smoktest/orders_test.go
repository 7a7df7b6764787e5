package smoktest_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/ngtt"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/smok/smoktest"
)

const orders = "/v1/device/orders"

func enqueue(t *testing.T, d *smoktest.Device, sections ...smoktest.Section) uint64 {
	t.Helper()
	id, err := d.Enqueue(sections...)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func section(orders ...smoktest.Order) smoktest.Section { return smoktest.Section{Orders: orders} }

func TestOrdersOverHTTP(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	p.want("POST", orders, nil, `[]`)
	enqueue(t, pump, section(
		smoktest.Read("W1").Force(), smoktest.Write("f2", 1.5).StaleAfter(time.Unix(1795326768, 0)), smoktest.Pause(time.Second),
		smoktest.SendMessage("m"), smoktest.Sysctl("baob-updated", "key"),
	), smoktest.Section{Disposition: 1})
	enqueue(t, pump, section(smoktest.Order{"type": "new"}))
	p.want("POST", orders, nil, `[
		{"disposition":0,"orders":[{"type":"read","path":"W1","advise":1},
			{"type":"write","path":"f2","value":1.5,"stale_after":1795326768},{"type":"wait","time":1.0},
			{"type":"message","uuid":"m"},{"type":"sysctl","op_type":"baob-updated","op_args":"key"}]},
		{"disposition":1,"orders":[]},{"disposition":0,"orders":[{"type":"new"}]}]`)
	p.want("POST", orders, nil, `[]`) // gone
	pump.EnqueueRaw(ngtttest.Poison)
	pump.EnqueueRaw([]byte{0x50})
	p.want("POST", orders, nil, `["\u001c",{}]`)
	p.want("POST", orders+"/message/a%20b", nil, `{}`)
	want := []smoktest.Message{{UUID: "a b", Request: 5}}
	if d := cmp.Diff(want, pump.Messages()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if c := pump.Counts(); c.Polls != 4 || c.Messages != 1 || c.Orders.Taken != 4 {
		t.Errorf("%+v", c)
	}
	if _, err := pump.Enqueue(section(smoktest.Write("W1", make(chan int)))); err == nil {
		t.Error("a channel was queued")
	}
}

// device runs an NGTT client until the test ends or stop is called.
func device(t *testing.T, hub *smoktest.Hub, id string, handle func(context.Context, *ngtt.Order), opts ngtt.Options) (stop func()) {
	t.Helper()
	cert, _ := issue(t, hub, ngtttest.Device{ID: id})
	credentials, err := ngtt.NewCredentials(cert)
	if err != nil {
		t.Fatal(err)
	}
	opts.Addr, opts.RootCAs, opts.ServerName, opts.Handler = hub.NGTTAddr(), hub.RootCAs(), hub.ServerName(), handle
	client, err := ngtt.New(credentials, &opts)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- client.Run(context.Background()) }()
	var stopped bool
	stop = func() {
		if !stopped {
			stopped = true
			_ = client.Close()
			<-done
		}
	}
	t.Cleanup(stop)
	return stop
}

func TestOrdersAreSharedByBothSides(t *testing.T) {
	t.Parallel()
	hub := start(t, smoktest.Options{NGTT: ngtttest.Options{Prefetch: 1}})
	p, pump := connect(t, hub, "pump"), hub.Device("pump")
	release := make(chan struct{})
	var got []byte
	device(t, hub, "pump", func(ctx context.Context, o *ngtt.Order) {
		<-release
		got = bytes.Clone(o.Body)
		_ = o.Ack(ctx) // the hub's counts tell
	}, ngtt.Options{})
	enqueue(t, pump, section(smoktest.Read("W1")))
	if err := hub.Wait(t.Context(), func() bool { return pump.Counts().Orders.Unanswered == 1 }); err != nil {
		t.Fatal(err)
	}
	enqueue(t, pump, section(smoktest.Read("W2"))) // outside of the window
	p.want("POST", orders, nil, `[{"disposition":0,"orders":[{"type":"read","path":"W2"}]}]`)
	close(release)
	if err := hub.Wait(t.Context(), func() bool { return pump.Counts().Orders.Confirmed == 1 }); err != nil {
		t.Fatal(err)
	}
	want, err := smoktest.Sections(section(smoktest.Read("W1")))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	p.want("POST", orders, nil, `[]`)
}

func TestOrdersSurviveARestartOfTheHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := startInMemory(t, smoktest.Options{})
		p, pump := dial(t, hub, "pump", network.DialContext), hub.Device("pump")
		p.want("POST", pathpoints, series("W1", list{1, 1}), `{}`)
		var deliveries int
		first := make(chan struct{})
		stop := device(t, hub, "pump", func(ctx context.Context, o *ngtt.Order) {
			deliveries++
			if deliveries == 1 {
				close(first)
				<-ctx.Done() // the hub goes away meanwhile
				return
			}
			_ = o.Ack(ctx) // the hub's counts tell
		}, ngtt.Options{DialContext: network.DialContext})
		enqueue(t, pump, section(smoktest.Read("W1")))
		<-first
		url, addr := hub.URL(), hub.NGTTAddr()
		hub.Down(smoktest.Both)
		if _, _, err := p.exchange("GET", "/v1/device", nil); err == nil {
			t.Error("an answer from a hub that is down")
		}
		time.Sleep(time.Minute)
		if err := hub.Up(smoktest.Both); err != nil {
			t.Fatal(err)
		}
		stop()
		device(t, hub, "pump", func(ctx context.Context, o *ngtt.Order) { _ = o.Ack(ctx) }, ngtt.Options{DialContext: network.DialContext})
		if err := hub.Wait(t.Context(), func() bool { return pump.Counts().Orders.Confirmed == 1 }); err != nil {
			t.Fatal(err)
		}
		p.want("POST", pathpoints, series("W1", list{1, 1}), `{}`)
		if c := pump.Counts(); c.Samples != 1 || c.Repeated != 1 || c.Orders.Repeated != 1 {
			t.Errorf("%+v", c)
		}
		if hub.URL() != url || hub.NGTTAddr() != addr {
			t.Errorf("the hub is at %s and %s", hub.URL(), hub.NGTTAddr())
		}
	})
}

func TestFaultsOfTheOrderLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := startInMemory(t, smoktest.Options{})
		pump := hub.Device("pump")
		hub.NGTT().SetFaults(ngtttest.Faults{DropBeforeConfirm: 2})
		device(t, hub, "pump", func(ctx context.Context, o *ngtt.Order) { _ = o.Ack(ctx) }, ngtt.Options{DialContext: network.DialContext})
		enqueue(t, pump, section(smoktest.Read("W1")))
		if err := hub.Wait(t.Context(), func() bool { return pump.Counts().Orders.Confirmed == 1 }); err != nil {
			t.Fatal(err)
		}
		if c := pump.Counts().Orders; c.Delivered != 3 || c.Connections != 3 {
			t.Errorf("%+v", c)
		}
	})
}
