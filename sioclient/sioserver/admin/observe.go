package admin

import (
	"context"
	"encoding/json"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// socketInfo is a socket as the page knows it.
type socketInfo struct {
	ID        string          `json:"id"`
	ClientID  string          `json:"clientId"`
	Transport string          `json:"transport"`
	Namespace string          `json:"nsp"`
	Data      json.RawMessage `json:"data"`
	Handshake any             `json:"handshake"`
	Rooms     []string        `json:"rooms"`
}

// observer turns what happens on the server into events for the page.
func (a *Admin) observer() sioserver.Observer {
	o := sioserver.Observer{
		Opened: func() { a.counts.add("rawConnection", "") },
		Closed: func(reason sioclient.Reason) { a.counts.add("rawDisconnection", string(reason)) },
	}
	if a.opts.Mode != Development {
		return o
	}
	o.Connected = func(s *sioserver.Socket) {
		if a.watched() {
			a.tell("socket_connected", local(s), stamp())
		}
	}
	o.Updated = func(s *sioserver.Socket) {
		if a.watched() {
			a.tell("socket_updated", update(s))
		}
	}
	o.Disconnected = func(s *sioserver.Socket, reason sioclient.Reason) {
		a.tell("socket_disconnected", s.Namespace().Name(), s.ID(), reason, stamp())
	}
	o.Joined = func(s *sioserver.Socket, room string) {
		a.tell("room_joined", s.Namespace().Name(), room, s.ID(), stamp())
	}
	o.Left = func(s *sioserver.Socket, room string) {
		a.tell("room_left", s.Namespace().Name(), room, s.ID(), stamp())
	}
	o.Received = func(s *sioserver.Socket, e *sioserver.Event) { a.event("event_received", s, e.Name, e.Args) }
	o.Sent = func(s *sioserver.Socket, name string, args packet.Args) { a.event("event_sent", s, name, args) }
	return o
}

// event tells of an event, unless it is one between the server and a page.
func (a *Admin) event(kind string, s *sioserver.Socket, name string, args packet.Args) {
	if s.Namespace() == a.nsp || !a.watched() {
		return
	}
	quoted, err := packet.Marshal(name)
	if err != nil {
		return // not reached: a string
	}
	size := len(quoted) + 2
	for i := range args.Len() {
		size += len(args.Raw(i)) + 1
	}
	if a.waiting.Load()+int64(size) > pendingBytes {
		a.dropped.Add(1) // before it is copied
		return
	}
	list := append([]byte{'['}, quoted...)
	for i := range args.Len() {
		list = append(append(list, ','), args.Raw(i)...)
	}
	list = append(list, ']')
	a.queue(notice{
		name: kind, args: []any{s.Namespace().Name(), s.ID(), json.RawMessage(list), stamp()}, size: int64(len(list)),
	})
}

// stamp is the time as JavaScript writes it.
func stamp() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// local describes a socket of this node.
func local(s *sioserver.Socket) socketInfo {
	info := s.Info()
	return socketInfo{
		ID: info.ID, ClientID: s.ConnID(), Transport: s.Transport(), Namespace: s.Namespace().Name(),
		Data: info.Data, Handshake: public(info.Handshake), Rooms: info.Rooms,
	}
}

// public is a handshake without what clients prove themselves with.
func public(h *sioserver.Handshake) any {
	if h == nil {
		return nil
	}
	c := *h
	c.Auth = nil
	c.Header = c.Header.Clone()
	c.Header.Del("Cookie")
	c.Header.Del("Authorization")
	return &c
}

// update is what of a socket can change.
func update(s *sioserver.Socket) map[string]any {
	return map[string]any{
		"id": s.ID(), "nsp": s.Namespace().Name(), "transport": s.Transport(), "data": s.Info().Data,
	}
}

// fetchTimeout bounds the search for sockets of other nodes.
const fetchTimeout = 5 * time.Second

// allSockets describes the sockets of all namespaces and nodes.
func (a *Admin) allSockets() []socketInfo {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	all := []socketInfo{}
	for _, n := range a.server.Namespaces() {
		sockets, err := n.FetchSockets(ctx)
		if err != nil {
			a.opts.Logger.Warn("not all sockets found", "module", "sioclient", "target", n.Name(), "error", err)
		}
		for _, r := range sockets {
			if s := n.Socket(r.ID); s != nil {
				all = append(all, local(s))
				continue
			}
			all = append(all, remote(n.Name(), &r.SocketInfo))
		}
	}
	return all
}

// remote describes a socket of another node, which may have left a note about its connection in the data.
func remote(nsp string, info *sioserver.SocketInfo) socketInfo {
	var note struct {
		Admin struct {
			ClientID  string `json:"clientId"`
			Transport string `json:"transport"`
		} `json:"_admin"`
	}
	_ = json.Unmarshal(info.Data, &note) // data of the program need not be an object
	return socketInfo{
		ID: info.ID, ClientID: note.Admin.ClientID, Transport: note.Admin.Transport, Namespace: nsp,
		Data: info.Data, Handshake: public(info.Handshake), Rooms: info.Rooms,
	}
}
