// Package siotest helps to test programs that speak Socket.IO.
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
