//go:build !js

// Package wsconn is a single WebSocket connection (RFC 6455), dialled or accepted, tuned for throughput and for bad links.
// It stands on github.com/coder/websocket and adds what long-running programs need:
//
//   - Batches: [Conn.WriteBatch] sends many messages with one write to the system, and [Conn.Write] sends a lone one at
//     once. Reading uses blocks of up to 64 KiB and a buffer of the caller. Neither allocates per message.
//   - Time: limits are set on the connection, not per call. [Options.WriteTimeout] measures progress, so a long message
//     on a slow link passes and a dead peer does not. [Conn.LastRead] counts every byte as a sign of life.
//   - Ends: the first failure closes the connection at once, and every call returns that same typed error.
//     [Conn.Close] is bounded, [Conn.CloseNow] immediate.
//   - Peers: frames that break the protocol, text that is not UTF-8, messages above the limit, refused upgrades,
//     redirects, certificates: each has a type (see [ProtocolError], [MessageTooBigError], [HandshakeError],
//     [ConnectionError]).
//
// A connection does not come back by itself and has no queue. Addresses in errors and logs have no secrets in them.
//
// The package does not exist for GOOS=js: a browser gives programs no network connection to tune.
package wsconn
