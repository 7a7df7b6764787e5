package packet_test

import (
	"errors"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// seen is a packet as tests compare it.
type seen struct {
	Type, Namespace, Query string
	ID                     uint64
	HasID                  bool
	Name, Data             string
	Args, Attachments      []string
}

func see(p *packet.Packet) seen {
	s := seen{
		Type: p.Type.String(), Namespace: p.Namespace, Query: p.Query, ID: p.ID, HasID: p.HasID, Name: p.Name,
		Data: string(p.Data),
	}
	for i := range p.Args.Len() {
		s.Args = append(s.Args, string(p.Args.Raw(i)))
	}
	for _, b := range p.Args.Attachments() {
		s.Attachments = append(s.Attachments, string(b))
	}
	return s
}

func expectRefused(t *testing.T, err error, detail string) {
	t.Helper()
	e, ok := errors.AsType[*sioerr.PacketError](err)
	switch {
	case !ok:
		t.Errorf("got %v, want a PacketError", err)
	case e.Detail != detail:
		t.Errorf("got %q, want %q", e.Detail, detail)
	case !errors.Is(err, sioerr.ErrPacket) || !errors.Is(err, errkit.Protocol) || errors.Is(err, errkit.NotSent):
		t.Errorf("%v has the wrong class or kind", err)
	}
}

func expectUnencodable(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*sioerr.PacketError](err); !ok || !errors.Is(err, errkit.Invalid|errkit.NotSent) {
		t.Errorf("got %v, want a PacketError of a packet that was not sent", err)
	}
}

// expectReady checks that a decoder takes a packet as if nothing had been before.
func expectReady(t *testing.T, d *packet.Decoder) {
	t.Helper()
	pkt, err := d.Text([]byte(`2["after"]`))
	if err != nil || pkt == nil || pkt.Name != "after" {
		t.Errorf("then: %v, %v", pkt, err)
	}
}

func expectPending(t *testing.T, d *packet.Decoder, msg string) {
	t.Helper()
	if pkt, err := d.Text([]byte(msg)); pkt != nil || err != nil {
		t.Fatalf("%s: %v, %v", msg, pkt, err)
	}
}

// decoded gives all messages of a packet to a decoder and returns the packet.
func decoded(t *testing.T, d *packet.Decoder, e packet.Encoded) *packet.Packet {
	t.Helper()
	var pkt *packet.Packet
	var err error
	if e.Text != nil {
		pkt, err = d.Text(e.Text[1:])
	}
	for _, b := range e.Binary {
		if pkt != nil || err != nil {
			t.Fatalf("packet is done before its attachments: %v, %v", pkt, err)
		}
		pkt, err = d.Binary(b)
	}
	if pkt == nil || err != nil {
		t.Fatalf("%q: %v, %v", e.Text, pkt, err)
	}
	return pkt
}
