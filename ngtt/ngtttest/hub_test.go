package ngtttest_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fieldlink-go/fieldlink/internal/netem"
	"github.com/fieldlink-go/fieldlink/ngtt/ngtttest"
	"github.com/fieldlink-go/fieldlink/ngtt/wire"
)

// peer is a device that sends and reads frames by hand.
type peer struct {
	t      *testing.T
	conn   net.Conn
	reader *wire.Reader
}

// start runs a hub on a network in memory.
func start(t *testing.T, opts ngtttest.Options) (*ngtttest.Hub, *netem.Network) {
	t.Helper()
	network := netem.New(nil)
	listener, err := network.Listen("hub.test:2405")
	if err != nil {
		t.Fatal(err)
	}
	opts.Listener, opts.Hosts = listener, []string{"hub.test"}
	hub := ngtttest.New(&opts)
	if err := hub.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hub.Close() })
	return hub, network
}

// connect makes a connection of a device.
func connect(t *testing.T, hub *ngtttest.Hub, network *netem.Network) *peer {
	t.Helper()
	certPEM, keyPEM, err := hub.Issue(ngtttest.Device{ID: "pump"})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := network.DialContext(t.Context(), "tcp", hub.Addr())
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, &tls.Config{
		RootCAs: hub.RootCAs(), ServerName: hub.ServerName(), Certificates: []tls.Certificate{cert},
	})
	t.Cleanup(func() { _ = raw.Close() })
	return &peer{t: t, conn: conn, reader: wire.NewReader(conn, 0)}
}

func (p *peer) send(typ wire.Type, tid uint16, body ...byte) {
	p.t.Helper()
	b, err := wire.AppendFrame(nil, wire.Frame{Type: typ, TID: tid, Body: body})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) want(typ wire.Type, tid uint16, body ...byte) {
	p.t.Helper()
	got, err := p.reader.Next()
	if err != nil {
		p.t.Fatalf("no %v: %v", typ, err)
	}
	want := wire.Frame{Type: typ, TID: tid, Body: body}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		p.t.Fatalf("(-want +got):\n%s", d)
	}
}

func (p *peer) wantEnd() {
	p.t.Helper()
	if f, err := p.reader.Next(); err == nil {
		p.t.Fatalf("got %v instead of the end", f.Type)
	}
}

func TestOrdersWaitForFetchAndForTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := start(t, ngtttest.Options{Prefetch: 2})
		p := connect(t, hub, network)
		first := hub.Enqueue("pump", []byte("a"), []byte("b"), []byte("c"))
		if first != 1 {
			t.Errorf("first order is %d", first)
		}
		p.send(wire.TypePing, 7)
		p.want(wire.TypePing, 7) // and no order before it
		p.send(wire.TypeFetchOrders, 0)
		p.want(wire.TypeOrder, 1, 'a')
		p.want(wire.TypeOrder, 2, 'b')
		synctest.Wait()
		if c := hub.Counts("pump"); c.Waiting != 1 || c.Unanswered != 2 {
			t.Errorf("%+v", c)
		}
		p.send(wire.TypeOrderConfirm, 2)
		p.want(wire.TypeOrder, 3, 'c')
		p.send(wire.TypeOrderConfirm, 2) // again
		p.send(wire.TypeOrderReject, 3)
		synctest.Wait()
		want := ngtttest.Counts{Connections: 1, Unanswered: 1, Delivered: 3, Confirmed: 1, Rejected: 1, Stray: 1}
		if d := cmp.Diff(want, hub.Counts("pump")); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

func TestUnansweredOrdersComeAgainInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := start(t, ngtttest.Options{})
		p := connect(t, hub, network)
		p.send(wire.TypeFetchOrders, 0)
		hub.Enqueue("pump", []byte("a"), []byte("b"), []byte("c"))
		p.want(wire.TypeOrder, 1, 'a')
		p.want(wire.TypeOrder, 2, 'b')
		p.send(wire.TypeOrderConfirm, 2)
		synctest.Wait()
		_ = p.conn.Close()
		q := connect(t, hub, network)
		q.send(wire.TypeFetchOrders, 0)
		q.want(wire.TypeOrder, 1, 'a')
		q.want(wire.TypeOrder, 2, 'c')
	})
}

func TestTakenOrdersAreNoLongerDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		changes := 0
		hub, network := start(t, ngtttest.Options{Prefetch: 1, OnChange: func() { changes++ }})
		p := connect(t, hub, network)
		p.send(wire.TypeFetchOrders, 0)
		hub.Enqueue("pump", []byte("a"), []byte("b"), []byte("c"))
		p.want(wire.TypeOrder, 1, 'a')
		synctest.Wait()
		before := changes
		if d := cmp.Diff([][]byte{[]byte("b"), []byte("c")}, hub.Take("pump")); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if changes == before {
			t.Error("taking orders is no change")
		}
		p.send(wire.TypeOrderConfirm, 1)
		synctest.Wait()
		want := ngtttest.Counts{Connections: 1, Delivered: 1, Confirmed: 1, Taken: 2}
		if d := cmp.Diff(want, hub.Counts("pump")); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

func TestAnotherServerOfTheHubKnowsItsDevices(t *testing.T) {
	t.Parallel()
	hub := ngtttest.New(nil)
	config := hub.TLSConfig()
	if config == nil || config.ClientAuth != tls.VerifyClientCertIfGiven || len(config.Certificates) != 1 {
		t.Fatalf("%+v", config)
	}
	for _, foreign := range []bool{false, true} {
		certPEM, _, err := hub.Issue(ngtttest.Device{ID: "pump", Foreign: foreign})
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(certPEM)
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if id := ngtttest.Identify(cert); id != "pump" {
			t.Errorf("the certificate is of %q", id)
		}
		_, err = cert.Verify(x509.VerifyOptions{Roots: config.ClientCAs, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		if (err != nil) != foreign {
			t.Errorf("foreign %v: %v", foreign, err)
		}
	}
	authority, _ := pem.Decode(hub.AuthorityPEM())
	cert, err := x509.ParseCertificate(authority.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if id := ngtttest.Identify(cert); id != "" {
		t.Errorf("the authority is the device %q", id)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	if !pool.Equal(hub.RootCAs()) {
		t.Error("RootCAs has something else")
	}
}

func TestRejectPolicy(t *testing.T) {
	for name, requeue := range map[string]bool{"discard": false, "requeue": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hub, network := start(t, ngtttest.Options{RequeueRejected: requeue})
				p := connect(t, hub, network)
				p.send(wire.TypeFetchOrders, 0)
				hub.Enqueue("pump", []byte("a"))
				p.want(wire.TypeOrder, 1, 'a')
				p.send(wire.TypeOrderReject, 1)
				if requeue {
					p.want(wire.TypeOrder, 2, 'a')
				}
				p.send(wire.TypePing, 9)
				p.want(wire.TypePing, 9)
			})
		})
	}
}

func TestRedeliveryTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := start(t, ngtttest.Options{RedeliverAfter: 20 * time.Second})
		p := connect(t, hub, network)
		p.send(wire.TypeFetchOrders, 0)
		hub.Enqueue("pump", []byte("a"))
		p.want(wire.TypeOrder, 1, 'a')
		began := time.Now()
		p.want(wire.TypeOrder, 1, 'a')
		if after := time.Since(began); after < 20*time.Second || after > 25*time.Second {
			t.Errorf("came again after %v", after)
		}
		p.send(wire.TypeOrderConfirm, 1)
		p.wantEnd() // a minute later, because the device is silent
		if after := time.Since(began); after < 80*time.Second {
			t.Errorf("dropped after %v", after)
		}
	})
}

func TestIdleDevicesAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := start(t, ngtttest.Options{})
		p := connect(t, hub, network)
		p.send(wire.TypePing, 1)
		p.want(wire.TypePing, 1)
		began := time.Now()
		p.wantEnd()
		if after := time.Since(began); after != time.Minute {
			t.Errorf("dropped after %v", after)
		}
	})
}

func TestUploadsAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := start(t, ngtttest.Options{})
		p := connect(t, hub, network)
		p.send(wire.TypeLogs, 0, 0x40)
		p.send(wire.TypeDataStream, 1, 0x40)
		p.want(wire.TypeDataStreamConfirm, 1)
		p.send(wire.TypeSyncBAOBRequest, 2, 0x50)
		p.want(wire.TypeSyncBAOBResponse, 2, []byte("\x52\x08download\x40\x06upload\x40")...)
		if got := len(hub.Uploads("pump")); got != 3 {
			t.Errorf("%d uploads", got)
		}
		if _, err := p.conn.Write(wire.AppendHeader(nil, wire.Header{Length: 1<<20 + 1})); err != nil {
			t.Fatal(err)
		}
		p.wantEnd() // above the limit of a MiB
	})
}

func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, network := start(t, ngtttest.Options{})
		ping := func(p *peer) { p.send(wire.TypePing, 1) }

		hub.SetFaults(ngtttest.Faults{DropAfterBytes: 11})
		p := connect(t, hub, network)
		p.send(wire.TypeFetchOrders, 0)
		hub.Enqueue("pump", []byte("abcdefgh"))
		b, err := io.ReadAll(p.conn)
		if len(b) != 11 || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("dropped after %d bytes: %v", len(b), err)
		}

		hub.SetFaults(ngtttest.Faults{WithholdPongs: true})
		p = connect(t, hub, network)
		ping(p)
		synctest.Wait()
		hub.SetFaults(ngtttest.Faults{PongDelay: 5 * time.Second})
		p.send(wire.TypePing, 2)
		began := time.Now()
		p.want(wire.TypePing, 2)
		if after := time.Since(began); after != 5*time.Second {
			t.Errorf("answered after %v", after)
		}

		hub.SetFaults(ngtttest.Faults{StallWrites: true, StallReads: true})
		ping(p)
		time.Sleep(10 * time.Second)
		if got := hub.Received("pump", wire.TypePing); got != 2 {
			t.Errorf("%d pings read", got)
		}
		hub.SetFaults(ngtttest.Faults{RefuseCertificates: true})
		p.want(wire.TypePing, 1)

		q := connect(t, hub, network)
		if _, err := q.conn.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("a refused certificate: %v", err)
		}
	})
}

func TestStartAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, _ := start(t, ngtttest.Options{})
		if err := hub.Start(); err == nil {
			t.Error("started twice")
		}
		_ = hub.Close()
		if err := hub.Start(); err == nil {
			t.Error("started after Close")
		}
		if _, err := hub.WaitConn(t.Context(), "x"); err == nil {
			t.Error("a closed hub has a connection")
		}
	})
}
