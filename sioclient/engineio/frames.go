package engineio

import (
	"sync"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio/internal/wire"
	"github.com/fieldlink-go/fieldlink/wsclient/wsconn"
)

// framing says how the messages of a connection look in WebSocket messages.
type framing struct {
	revision wire.Revision
	base64   bool // binary ones as text
}

// write sends a batch, with as few writes to the network as its length allows.
func (f framing) write(conn *wsconn.Conn, batch []Message) error {
	if len(batch) == 1 {
		frame := f.frame(&batch[0])
		return conn.Write(frame.Type, frame.Data)
	}
	frames := framePool.Get().(*[]wsconn.Message)
	for i := range batch {
		*frames = append(*frames, f.frame(&batch[i]))
	}
	_, err := conn.WriteBatch(*frames)
	if cap(*frames) <= maxPooledFrames {
		clear(*frames)
		*frames = (*frames)[:0]
		framePool.Put(frames)
	}
	return err
}

// maxPooledFrames is up to which length the arrays of batches are used again.
const maxPooledFrames = 1 << 10

var framePool = sync.Pool{New: func() any { return new([]wsconn.Message) }}

func (f framing) frame(m *Message) wsconn.Message {
	switch {
	case !m.binary:
		return wsconn.Message{Type: wsconn.Text, Data: m.data}
	case f.base64:
		return wsconn.Message{Type: wsconn.Text, Data: f.revision.AppendText(nil, m.packet())}
	case f.revision == wire.V4:
		return wsconn.Message{Type: wsconn.Binary, Data: m.data}
	}
	return wsconn.Message{Type: wsconn.Binary, Data: f.revision.AppendBinary(make([]byte, 0, 1+len(m.data)), m.data)}
}

// read makes a packet of a WebSocket message. What it holds may be a part of data.
func (f framing) read(typ wsconn.MessageType, data []byte) (wire.Packet, error) {
	if typ == wsconn.Binary {
		return f.revision.ParseBinary(data)
	}
	return f.revision.ParseText(data)
}
