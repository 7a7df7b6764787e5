// Package packet is the codec of Socket.IO: it turns packets into the messages that Engine.IO carries, and back. It knows
// revision 5 of the protocol ([Default]), revision 4 ([Revision4]) and the binary form [Msgpack]. It has no goroutines and
// does no I/O.
//
//	enc, err := packet.Default.Encode(&packet.Packet{Type: packet.Event, Name: "photo"}, "gate", jpeg)
//	// enc.Text is 451-["photo","gate",{"_placeholder":true,"num":0}], enc.Binary is jpeg
//
//	dec := packet.Default.NewDecoder(packet.Limits{})
//	pkt, err := dec.Text(msg)    // nil while attachments are missing
//	pkt, err = dec.Binary(jpeg)  // the packet
//	err = pkt.Args.DecodeAll(&place, &picture)
//
// Arguments stay JSON until somebody asks for a value: see [Args]. Binary values are found by type when encoding, in
// whatever struct, map or slice they are, and come back to the same place when decoding.
//
// A decoder checks each message once and completely, is as strict as the official server, and bounds everything that a
// peer can make large: see [Limits]. What it refuses is a *sioclient.PacketError; what cannot be encoded is one as well, and
// nothing has been sent then. An argument that does not fit its target is a *sioclient.DecodeError.
package packet
