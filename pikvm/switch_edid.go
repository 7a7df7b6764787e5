package pikvm

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// DefaultEDID is the identity that the device itself has for a display. It can neither be changed nor removed.
const DefaultEDID = "default"

// Lengths of an EDID: one block, or one with an extension (VESA E-EDID, sections 2.1 and 3.1), in hexadecimal digits.
const (
	edidDigits     = 256
	edidLongDigits = 512
)

// CreateEDID adds the identity of a display and returns its id. The data are those of an EDID in hexadecimal, 128 or 256
// bytes; white space does not matter.
func (s *Switch) CreateEDID(ctx context.Context, name, data string) (id string, err error) {
	const op = "switch.CreateEDID"
	hex, ok := edidHex(data)
	switch {
	case strings.TrimSpace(name) == "" || !switchName(name):
		return "", configurationError(op, "name", "empty, not printable, or over 255 characters")
	case !ok:
		return "", configurationError(op, "data", "not 256 or 512 hexadecimal digits")
	}
	var created edidCreated
	err = s.c.invoke(ctx, &call{
		op: op, method: http.MethodPost, path: "/api/switch/edids/create", query: url.Values{"name": {name}, "data": {hex}},
	}, &created)
	return created.ID, err
}

type edidCreated struct{ ID string }

// UnmarshalJSON reads the result, which must have an id.
func (e *edidCreated) UnmarshalJSON(data []byte) error {
	var wire struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return err
	}
	if wire.ID == "" {
		return missing("id")
	}
	e.ID = wire.ID
	return nil
}

// EDIDParams are the settings of the identity of a display: see [Switch.ChangeEDID]. What is nil stays as it is.
type EDIDParams struct {
	Name *string // not empty, at most 255 printable characters
	Data *string // as in [Switch.CreateEDID]
}

// ChangeEDID changes the identity of a display. An unknown one is [ErrNotFound]; [DefaultEDID] is refused.
func (s *Switch) ChangeEDID(ctx context.Context, id string, params *EDIDParams) error {
	const op = "switch.ChangeEDID"
	query, err := edidQuery(op, id)
	if err != nil {
		return err
	}
	var p EDIDParams
	if params != nil {
		p = *params
	}
	if p.Name != nil {
		if strings.TrimSpace(*p.Name) == "" || !switchName(*p.Name) {
			return configurationError(op, "Name", "empty, not printable, or over 255 characters")
		}
		query.Set("name", *p.Name)
	}
	if p.Data != nil {
		hex, ok := edidHex(*p.Data)
		if !ok {
			return configurationError(op, "Data", "not 256 or 512 hexadecimal digits")
		}
		query.Set("data", hex)
	}
	return s.post(ctx, op, "edids/change", query)
}

// RemoveEDID removes the identity of a display; ports that used it get the default one. An unknown one is
// [ErrNotFound]; [DefaultEDID] is refused.
func (s *Switch) RemoveEDID(ctx context.Context, id string) error {
	const op = "switch.RemoveEDID"
	query, err := edidQuery(op, id)
	if err != nil {
		return err
	}
	return s.post(ctx, op, "edids/remove", query)
}

func edidQuery(op, id string) (url.Values, error) {
	if !edidID.MatchString(id) {
		return nil, configurationError(op, "id", "not a UUID")
	}
	return url.Values{"id": {id}}, nil
}

// edidHex returns the data as the device keeps them.
func edidHex(data string) (string, bool) {
	hex := strings.ToUpper(strings.Join(strings.FieldsFunc(data, unicode.IsSpace), ""))
	return hex, (len(hex) == edidDigits || len(hex) == edidLongDigits) && strings.Trim(hex, "0123456789ABCDEF") == ""
}
