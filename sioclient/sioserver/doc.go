// Package sioserver is a Socket.IO server (protocol revision 5, on Engine.IO 4), and with one option also one for clients
// of Socket.IO 2. This is a chat:
//
//	srv, err := sioserver.New(nil)
//	if err != nil {
//		log.Fatal(err)
//	}
//	srv.OnConnect(func(s *sioserver.Socket) {
//		s.Join("lobby")
//		s.On("say", func(e *sioserver.Event) error {
//			var text string
//			if err := e.Decode(&text); err != nil {
//				return err
//			}
//			return s.To("lobby").Emit("said", s.ID(), text)
//		})
//	})
//	http.Handle("/socket.io/", srv)
//	log.Fatal(http.ListenAndServe(":3000", nil))
//
// # Handlers
//
// The handlers of one socket run one at a time, in the order in which the events came, on a goroutine that exists only
// while there is something to handle. They may block, and wait for the answer to a [Socket.Call]. If events come faster
// than they are handled, the connection is not read for a while: see Options.EventQueue. Errors that handlers return,
// and panics, go to the listeners of [Socket.OnError]; they end nothing.
//
// The arguments of an event are decoded when a handler asks for them. Functions like sioclient.On1 make a handler of a
// function that has the types.
//
// # Sending
//
// Everything that sends only queues, and never waits for a client. A broadcast is encoded once, and all recipients share
// the bytes. What waits for a client is bounded (Options.Engine.Queue): one that does not read is disconnected, and its
// OnDisconnect handlers get a BufferFullError; volatile events are dropped before that.
//
// # Trust
//
// A packet that the protocol does not allow ends the connection that it came over, and nothing else: its sockets get
// the reason "forced close", or "forced server close" if the packet was well-formed but came at the wrong time, with a
// PacketError. What middlewares return is told to clients only if sioclient.Refuse made it. Origins, payloads, sessions
// in total and per address are limited by Options.Engine.
//
// # Errors
//
// They are those of package sioclient, and documented there.
package sioserver
