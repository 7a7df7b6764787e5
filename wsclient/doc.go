// Package wsclient keeps a WebSocket connection alive (RFC 6455): one logical connection across many physical ones, with
// queues that outlive them, subscriptions that are restored, and errors that say what happened.
//
//	m, err := wsclient.New("wss://feed.example/ws", &wsclient.Options{
//		Reconnect: wsclient.ReconnectOptions{MaxAttempts: wsclient.Unlimited},
//	})
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer m.Close()
//	if err := m.Start(ctx); err != nil {
//		log.Fatal(err)
//	}
//	for msg, err := range m.Messages(ctx) {
//		if err != nil {
//			log.Print(err) // messages are missing here, or this is the end of the loop
//			continue
//		}
//		fmt.Printf("%s\n", msg.Data)
//	}
//
// # The manager
//
// [New] checks the options and does nothing else. [Manager.Connect] waits for a connection; [Manager.Start] connects in
// the background, and [Manager.Run] does so until its context ends. When the connection is lost, the manager tries
// again as [ReconnectOptions] say. [Manager.State], [Manager.StateChanges] and [Hooks] tell how things stand, and
// [Manager.Stats] counts. When the manager gives up, the error goes to everybody who waits for something: Connect, Run,
// Receive, Messages, Send, Err and OnGiveUp. [Manager.Disconnect], [Manager.Reconnect], [Manager.ScheduleReconnect] and
// [ControlOptions] are for programs that decide themselves when to be connected.
//
// [Manager.Close] ends a manager at once, [Manager.Shutdown] when everything is sent. Both leave no goroutine, timer or
// file behind.
//
// All methods may be called from any goroutine, and from hooks. A context bounds the call that it is given to and
// nothing else, except for those of Start and Run, whose end closes the manager.
//
// # Messages
//
// Messages that arrive wait in a bounded queue, or go to a handler: see [ReceiveOptions]. Where some are lost for want of
// room, receivers are told, at the very place. [Manager.Send] writes at once and fails without a connection, unless
// [SendOptions] set up a queue: then messages go out in order, on this connection or a later one, if wanted until the
// peer has acknowledged them, and if wanted out of a spool on the disk.
//
// # Packages
//
//   - [github.com/fieldlink-go/fieldlink/wsclient/wsconn]: a single connection, dialled or accepted, tuned for
//     throughput and for bad links.
//   - [github.com/fieldlink-go/fieldlink/wsclient/spool]: a durable log for what must survive a power cut. It knows
//     nothing of WebSockets.
//   - [github.com/fieldlink-go/fieldlink/wsclient/wstest]: peers for the tests of programs that use WebSockets, well
//     behaved and otherwise.
//
// # Errors
//
// Every error matches [Err] and its own sentinel under [errors.Is], and has a type for [errors.AsType]:
//
//	if e, ok := errors.AsType[*wsclient.ClosedError](err); ok {
//		log.Printf("connection closed: %d - %s", e.Code, e.Reason)
//	}
//
// What sort of trouble it was, whatever the type, is asked with the kinds of errkit: errors.Is(err, errkit.Timeout).
// Whether the same call may succeed later is answered by errkit.Transient. Addresses in errors have no secrets in them.
//
// The package does not exist for GOOS=js: a browser gives programs no network connection to tune.
package wsclient
