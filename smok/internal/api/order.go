package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// Orders takes the orders that wait at the hub: a JSON list of sections, whatever the form in which the hub sent it. The
// hub forgets them with its answer, so what is returned here is the only copy.
func (c *Client) Orders(ctx context.Context) (json.RawMessage, error) {
	k := &call{op: "hub.Orders", method: http.MethodPost, path: "/v1/device/orders"}
	a, err := c.fetch(ctx, k)
	if err != nil {
		return nil, err
	}
	doc, err := a.document()
	switch {
	case err != nil:
	case doc == nil || bytes.Equal(doc, []byte("null")):
		return json.RawMessage("[]"), nil
	case doc[0] != '[':
		err = errors.New("not a list")
	case !json.Valid(doc):
		err = errors.New("not JSON")
	default:
		return doc, nil
	}
	return nil, c.badAnswer(k, a, err)
}

// SendMessage lets the hub send the message that it has prepared under this id.
func (c *Client) SendMessage(ctx context.Context, uuid string) error {
	k := &call{op: "hub.SendMessage", method: http.MethodPost}
	id, err := segment(k.op, "uuid", uuid)
	if err != nil {
		return err
	}
	k.path = "/v1/device/orders/message/" + id
	return c.send(ctx, k)
}
