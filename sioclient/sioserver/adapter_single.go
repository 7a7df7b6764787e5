package sioserver

import (
	"context"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// singleAdapter is the adapter of a cluster of one node.
type singleAdapter struct{ host *AdapterHost }

func (a *singleAdapter) Broadcast(p *Packet, to *Target) error { return a.host.Broadcast(p, to) }

func (a *singleAdapter) BroadcastWithAck(ctx context.Context, p *Packet, to *Target, count func(int), answer func(packet.Args)) error {
	return a.host.BroadcastWithAck(ctx, p, to, count, answer)
}

func (a *singleAdapter) FetchSockets(_ context.Context, to *Target) ([]SocketInfo, error) {
	return a.host.FetchSockets(to), nil
}

func (a *singleAdapter) SocketsJoin(to *Target, rooms []string) error {
	a.host.SocketsJoin(to, rooms)
	return nil
}

func (a *singleAdapter) SocketsLeave(to *Target, rooms []string) error {
	a.host.SocketsLeave(to, rooms)
	return nil
}

func (a *singleAdapter) DisconnectSockets(to *Target, closeConn bool) error {
	a.host.DisconnectSockets(to, closeConn)
	return nil
}

func (a *singleAdapter) ServerSideEmit(context.Context, *Packet, func(packet.Args)) error {
	return sioerr.Bare(sioerr.ErrNotSupported, "ServerSideEmit", nil)
}

func (a *singleAdapter) Close() error { return nil }
