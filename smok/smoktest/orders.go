package smoktest

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// Order is one order, with the members that it has on the wire. The functions below make the known types; add members
// or change them for others.
type Order map[string]any

// Read orders a reading of a pathpoint.
func Read(path string) Order { return Order{"type": "read", "path": path} }

// Write orders a value to be written to a pathpoint.
func Write(path string, value any) Order {
	return Order{"type": "write", "path": path, "value": value}
}

// Pause orders a wait.
func Pause(d time.Duration) Order { return Order{"type": "wait", "time": d.Seconds()} }

// SendMessage orders the device to ask for a message; see [Device.Messages].
func SendMessage(uuid string) Order { return Order{"type": "message", "uuid": uuid} }

// Sysctl orders something that the device and its owner agree about.
func Sysctl(opType, opArgs string) Order {
	return Order{"type": "sysctl", "op_type": opType, "op_args": opArgs}
}

// Force adds that an order is to be tried hard.
func (o Order) Force() Order {
	o["advise"] = 1
	return o
}

// StaleAfter adds the time, to the second, from which on the order is not to be executed.
func (o Order) StaleAfter(t time.Time) Order {
	o["stale_after"] = t.Unix()
	return o
}

// Section is a group of orders.
type Section struct {
	Orders []Order
	// Disposition is 0 for a section that may be joined with another, 1 for one that may not.
	Disposition int
}

// Sections returns the MiniJSON of sections, as orders have it.
func Sections(sections ...Section) ([]byte, error) {
	list := make([]any, 0, len(sections))
	for _, s := range sections {
		orders := make([]any, 0, len(s.Orders))
		for _, o := range s.Orders {
			orders = append(orders, map[string]any(o))
		}
		list = append(list, map[string]any{"orders": orders, "disposition": s.Disposition})
	}
	return minijson.Marshal(list)
}

// Enqueue queues sections for the device: one order of the NGTT side, confirmed as a whole, or that many elements of
// the answer to the next request for orders over HTTP, whichever takes it first. It returns the id that the order has on
// the NGTT side. It fails for values that have no MiniJSON form.
func (d *Device) Enqueue(sections ...Section) (uint64, error) {
	body, err := Sections(sections...)
	if err != nil {
		return 0, err
	}
	return d.EnqueueRaw(body), nil
}

// EnqueueRaw queues an order with any body. One that is no MiniJSON comes as a string over HTTP, and one that is no list
// as an element of one.
func (d *Device) EnqueueRaw(body []byte) uint64 { return d.hub.ngtt.Enqueue(d.id, body) }

// postOrders hands out the orders that wait; they are gone once answered. Those that are on their way over NGTT stay
// there.
func postOrders(c *call) (any, error) {
	c.device.counts.Polls++
	elements := []minijson.RawValue{}
	for _, body := range c.hub.ngtt.Take(c.req.Device) {
		var list []minijson.RawValue
		switch {
		case strict.Unmarshal(body, &list) == nil:
			elements = append(elements, list...)
		case minijson.Valid(body) == nil:
			elements = append(elements, body)
		default:
			text, err := minijson.Marshal(strings.ToValidUTF8(string(body), "\uFFFD"))
			if err == nil { // text has a form up to 4 GiB
				elements = append(elements, text)
			}
		}
	}
	if c.hub.opts.MiniJSONAnswers {
		return elements, nil
	}
	texts := make([]json.RawMessage, 0, len(elements))
	for _, e := range elements {
		text, err := minijson.ToJSON(e)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// Message is a device's request to send a prepared message.
type Message struct {
	UUID    string
	Request uint64 // number of the request
}

// Messages returns the requests for messages in the order in which they came.
func (d *Device) Messages() []Message {
	return inspect(d, func(s *device) []Message { return s.messages.snapshot() })
}

func postMessage(c *call) (any, error) {
	c.device.counts.Messages++
	c.device.messages.add(Message{c.args[0], c.req.Number}, c.hub.opts.MaxKept)
	return nil, nil
}
