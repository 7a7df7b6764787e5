// Package wire is the frame codec of NGTT, the protocol between a SMOK device and its hub. It does no I/O of its own
// and knows nothing of connections.
//
// A frame is a header of eight bytes and a body:
//
//	offset 0  uint32  length of the body, in bytes
//	offset 4  uint16  transaction id (tid)
//	offset 6  uint16  type
//	offset 8  body
//
// Numbers have the most significant byte first. Frames follow each other without separators and without regard to the
// reads and writes below them. The layout and the numbers are those of the original device client, package ngtt of
// github.com/smok-serwis/smok-client, version 0.21.
//
// [AppendFrame] writes frames and [Reader] reads them. Programs need this package only to talk to the hub's side, or
// to see frames that the client does not know.
package wire
