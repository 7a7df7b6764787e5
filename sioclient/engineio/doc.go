// Package engineio speaks Engine.IO, the transport below Socket.IO: revisions 4 and 3, over HTTP polling and WebSocket
// (https://socket.io/docs/v4/engine-io-protocol/).
//
// It carries messages of text and of bytes and knows nothing of what they mean. [Server] is an HTTP handler that turns
// requests into sessions:
//
//	server, err := engineio.NewServer(&engineio.ServerOptions{
//		OnSession: func(s *engineio.Session) engineio.Handler { return &echo{s} },
//	})
//	http.Handle("/engine.io/", server)
//
// [Dial] is the other end:
//
//	conn, err := engineio.Dial(ctx, "https://example.com", nil, handler)
//	if err != nil {
//		return err
//	}
//	defer conn.Wait()
//	defer conn.Close(false)
//	err = conn.Send(engineio.Text("hello"), engineio.Binary([]byte{1, 2, 3}))
//
// A connection begins with polling, which passes everywhere, and goes over to WebSocket with nothing lost or reordered.
//
// What a session or a connection receives goes to its [Handler], in order, from the goroutine that reads; what it sends
// is queued, bounded, and written together with what has come together. Errors are those of package sioclient.
package engineio
