package sioserver_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	for field, opts := range map[string]sioserver.Options{
		"ConnectTimeout":        {ConnectTimeout: -1},
		"MaxNamespaces":         {MaxNamespaces: -1},
		"Parser":                {Parser: packet.Revision4},
		"Engine.OnSession":      {Engine: engineio.ServerOptions{OnSession: func(*engineio.Session) engineio.Handler { return nil }}},
		"Engine.InitialPacket":  {Engine: engineio.ServerOptions{InitialPacket: engineio.Text("x")}},
		"PingInterval":          {Engine: engineio.ServerOptions{PingInterval: -1}},
		"Recovery":              {Recovery: &sioserver.RecoveryOptions{MaxPackets: -1}},
		"Adapter":               {Adapter: func(*sioserver.AdapterHost) sioserver.Adapter { return nil }},
		"Recovery and adapters": {Recovery: &sioserver.RecoveryOptions{}, Adapter: (&bus{}).adapter},
	} {
		t.Run(field, func(t *testing.T) {
			_, err := sioserver.New(&opts)
			var e *sioclient.InvalidError
			check(t, true, errors.As(err, &e))
			check(t, true, strings.HasPrefix(field, e.Field))
		})
	}
}

// TestMsgpack: one binary message per packet.
func TestMsgpack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, &sioserver.Options{Parser: packet.Msgpack})
		b.OnConnect(echo)
		p := b.dial()
		p.send("binary \x82\xa4type\x00\xa3nsp\xa1/")
		if m := p.next(); !strings.HasPrefix(m, "binary 8") {
			t.Fatalf("got %q", m)
		}
		p.send("binary \x84\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1a\xc4\x01z\xa2id\x03")
		if m := p.next(); !strings.HasPrefix(m, "binary 84") || !strings.Contains(m, "c4017a") {
			t.Fatalf("got %q", m)
		}
		check(t, nil, b.Emit("e", 1))
		if m := p.next(); !strings.Contains(m, "92a16501") {
			t.Fatalf("got %q", m)
		}
		p.send("40")
		p.want("closed")
	})
}

// TestAdmission: the limits of the transport hold for the server.
func TestAdmission(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opts := &sioserver.Options{}
		opts.Engine.MaxSessions = 1
		b := newBench(t, opts)
		p := b.dial()
		p.join("/")
		_, refused := b.poll("EIO=4")
		check(t, true, strings.Contains(refused, `"code":`))
		check(t, 1, b.Stats().Connections)
		_ = p.conn.Close(1000, "")
		synctest.Wait()
		check(t, 0, b.Stats().Connections)
		b.dial().join("/")
	})
}
