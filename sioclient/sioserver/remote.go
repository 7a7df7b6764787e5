package sioserver

import (
	"context"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// RemoteSocket is a socket that may be on another node. Its fields are as they were when it was fetched; what is done
// with it goes to wherever the socket is, and to nobody if it is gone.
type RemoteSocket struct {
	SocketInfo
	n *Namespace
}

func (r *RemoteSocket) target() Broadcast {
	return Broadcast{over: r.n, to: Target{Rooms: []string{r.ID}, Single: true}}
}

// Emit sends it an event.
func (r *RemoteSocket) Emit(event string, args ...any) error { return r.target().Emit(event, args...) }

// Call sends it an event and waits for the acknowledgement, as [Socket.Call] does. If the socket is gone the error is
// a *[sioclient.DisconnectedError].
func (r *RemoteSocket) Call(ctx context.Context, event string, args ...any) (packet.Args, error) {
	answers, err := r.target().Call(ctx, event, args...)
	if len(answers) > 0 {
		return answers[0], nil
	}
	if err == nil { // it was no socket any more
		err = &sioerr.DisconnectedError{Info: errkit.Info{Class: sioerr.ErrDisconnected, Op: "call", Target: r.n.name, Kind: errkit.NotSent}}
	}
	return packet.Args{}, err
}

// Join lets it join rooms.
func (r *RemoteSocket) Join(rooms ...string) error { return r.target().SocketsJoin(rooms...) }

// Leave lets it leave rooms.
func (r *RemoteSocket) Leave(rooms ...string) error { return r.target().SocketsLeave(rooms...) }

// Disconnect disconnects it, with closeConn the connection below it too.
func (r *RemoteSocket) Disconnect(closeConn bool) error {
	return r.target().DisconnectSockets(closeConn)
}
