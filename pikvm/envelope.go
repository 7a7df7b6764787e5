package pikvm

import (
	"encoding/json"
	"errors"
	"net/http"
)

// envelope is the frame of all answers of the PiKVM API, but for the documents of Redfish, texts and pictures.
type envelope struct {
	OK     *bool           `json:"ok"`
	Result json.RawMessage `json:"result"`
}

// refusalResult is the result of an envelope that is not ok.
type refusalResult struct {
	Error   string `json:"error"`
	Message string `json:"error_msg"`
}

var errNoEnvelope = errors.New("no envelope")

// decodeEnvelope reads an envelope. It fails on anything else.
func decodeEnvelope(body []byte) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return envelope{}, err
	}
	if e.OK == nil {
		return envelope{}, errNoEnvelope
	}
	return e, nil
}

// refusal returns the server's name and text of the error, empty if the envelope has none.
func (e envelope) refusal() refusalResult {
	var r refusalResult
	_ = json.Unmarshal(e.Result, &r) // an odd result is a refusal without a name
	return r
}

// decode checks the envelope of a success by status and decodes its result, unless result is nil.
func (c *Client) decode(k *call, a *answer, result any) error {
	if a.status == http.StatusNoContent && result == nil {
		return nil
	}
	e, err := decodeEnvelope(a.body)
	switch {
	case err != nil:
		return c.responseError(k, a, err)
	case !*e.OK:
		return c.apiError(k, a, 0, e.refusal())
	case result == nil:
		return nil
	}
	if err := json.Unmarshal(e.Result, result); err != nil {
		return c.responseError(k, a, err)
	}
	return nil
}
