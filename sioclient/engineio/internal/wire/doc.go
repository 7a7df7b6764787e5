// Package wire turns the packets of Engine.IO into bytes and back: revision 4 and revision 3, single packets as they
// travel in WebSocket messages, payloads as they travel in the bodies of HTTP requests, and the open packet.
//
// It has no state and does no I/O. Decoders accept one form of everything, never panic, allocate nothing but the bytes
// of binary messages, and report what they refuse as a *sioerr.PacketError.
//
// Sources: the Engine.IO protocol, revisions 3 and 4 (https://socket.io/docs/v4/engine-io-protocol/ and the repository
// socketio/engine.io-protocol).
package wire
