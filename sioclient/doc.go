// Package sioclient is a client for Socket.IO servers: those of the official implementation in versions 2 to 4,
// python-socketio, and package sioserver of this module.
//
// A [Manager] keeps one connection to a server, on which each namespace has a [Socket]. [Dial] makes both at once:
//
//	socket, err := sioclient.Dial(ctx, "https://example.com", nil)
//	if err != nil {
//		return err
//	}
//	defer socket.Close()
//	if err := socket.Emit("subscribe", "weather"); err != nil {
//		return err
//	}
//	for event, err := range socket.Events(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(event.Name, string(event.Args.JSON()))
//	}
//
// # Events
//
// [Socket.Emit] sends an event and does not wait; [Socket.Call] waits for its acknowledgement. Events that arrive go to the
// handlers of their name, which [On1], [Reply1] and their like decode arguments for; those without a handler are kept for
// [Socket.Receive] and [Socket.Events]. Handlers of a socket run one at a time and in order, and may block and call.
//
// # Connection
//
// After a loss the manager connects again, at growing intervals, and what is emitted meanwhile is kept, within bounds.
// Each call that waits for an acknowledgement ends when its event was on the way at the loss. With
// SocketOptions.Retries events are sent until they are acknowledged. If the server offers connection state recovery, the
// socket uses it: [Socket.Recovered].
//
// A socket that the server refused or threw out, or that left, rests until the program lets it connect again.
//
// # Errors
//
// Every error matches [Err], and one of the classes below it; the types that carry the details are named like the classes.
// Reason says why a connection ended, in the words of the official implementation.
//
// # Lifetime
//
// All methods may be called from any goroutine. [Manager.Close], or [Socket.Close] after Dial, ends everything; nothing
// runs after it.
package sioclient
