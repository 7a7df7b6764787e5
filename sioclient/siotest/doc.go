// Package siotest helps to test programs that speak Socket.IO.
//
// A [Server] is the real server on a network in memory, for tests of programs that are its clients. It can cut their
// connections and turn them away:
//
//	srv, err := siotest.NewServer(nil)
//	defer srv.Close()
//	var opts sioclient.Options
//	opts.Engine.DialContext = srv.DialContext
//	socket, err := sioclient.Dial(ctx, srv.URL(), &opts)
//	srv.CutAll() // the client has to connect again
//
// A [Peer] is a server that says and expects exactly what a test wants, packet by packet, on any net.Listener:
//
//	peer := siotest.NewPeer(listener, nil)
//	defer peer.Close()
//	session, err := peer.Accept(ctx) // the client dials meanwhile
//	err = session.Expect(ctx, "40")
//	err = session.Send(`40{"sid":"x"}`, `42["news",1]`)
//
// [DialRaw] is the same for the other end: a client that says and expects exactly what a test wants.
package siotest
