// Package wsclient is the WebSocket module of Fieldlink. At present it holds what its packages have in common, the
// errors; the work is done in the packages below it:
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
package wsclient
