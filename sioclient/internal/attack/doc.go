// Package attack has no code but tests: attacks on a server, byte by byte, while an honest client looks on.
//
//   - TestAdvisory are those of the published advisories on Socket.IO, Engine.IO and ws, TestAdvisoryPeerBugs the
//     mistakes of other implementations.
//   - TestBadInput is what else a hostile peer can come up with.
//   - TestSlowReader are clients that do not read.
//   - TestLatency asks how long the honest client waits under all that.
package attack
