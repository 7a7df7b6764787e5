package packet_test

import (
	"fmt"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

func Example() {
	photo := struct {
		Place string `json:"place"`
		JPEG  []byte `json:"jpeg"`
	}{"gate", []byte("...")}

	enc, err := packet.Default.Encode(&packet.Packet{Type: packet.Event, Namespace: "/cams", Name: "photo"}, photo)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n%d attachment\n", enc.Text, len(enc.Binary))

	dec := packet.Default.NewDecoder(packet.Limits{})
	pkt, err := dec.Text(enc.Text[1:]) // Engine.IO takes its 4 off
	for _, msg := range enc.Binary {
		if pkt == nil && err == nil {
			pkt, err = dec.Binary(msg)
		}
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	photo.JPEG = nil
	if err := pkt.Args.Decode(0, &photo); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(pkt.Namespace, pkt.Name, photo.Place, len(photo.JPEG))
	// Output:
	// 451-/cams,["photo",{"place":"gate","jpeg":{"_placeholder":true,"num":0}}]
	// 1 attachment
	// /cams photo gate 3
}

// Arguments pass through undecoded, exactly as they came.
func ExampleArgs() {
	dec := packet.Default.NewDecoder(packet.Limits{})
	in, err := dec.Text([]byte(`27["echo",12345678901234567890,{"b":1,"a":2}]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := packet.Default.Encode(&packet.Packet{Type: packet.Ack, ID: in.ID, HasID: in.HasID, Args: in.Args}, "and more")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", out.Text)
	// Output: 437[12345678901234567890,{"b":1,"a":2},"and more"]
}

func ExampleDecoder() {
	dec := packet.Default.NewDecoder(packet.Limits{})
	for _, msg := range []string{`2["hello"`, `512-["photos"]`, `2["disconnect"]`} {
		_, err := dec.Text([]byte(msg))
		fmt.Println(err)
	}
	// Output:
	// sioclient: decode: invalid packet: invalid payload: "2"
	// sioclient: decode: invalid packet: too many attachments: "512"
	// sioclient: decode: invalid packet: invalid payload: "2"
}
