package packet

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
)

var errNoArgument = errors.New("there is no such argument")

// Decode reads argument i into the value that target points to, as [json.Unmarshal] does, except that binary values go
// where they belong: into a []byte, or into an any, within the target. There they are shared by all who read the same
// argument. An argument that does not exist, or does not fit, is a *sioclient.DecodeError.
func (a Args) Decode(i int, target any) error {
	if i < 0 || i >= len(a.spans) {
		return undecodable(i, errNoArgument)
	}
	if err := a.decode(a.spans[i], target); err != nil {
		return undecodable(i, err)
	}
	return nil
}

// DecodeAll reads the first arguments, one into each target. More arguments than targets are no error, fewer are.
func (a Args) DecodeAll(targets ...any) error {
	for i, target := range targets {
		if err := a.Decode(i, target); err != nil {
			return err
		}
	}
	return nil
}

func (a *Args) decode(s span, target any) error {
	raw := a.text[s.start:s.end]
	if len(within(a.marks, s)) > 0 {
		return a.decodeBinary(s, target)
	}
	if decodeScalar(raw, target) {
		return nil
	}
	return a.unmarshal(raw, target)
}

// decodeScalar saves the common types of arguments the way through encoding/json, which checks once more what the scanner
// has checked. It reports false for all that is not plain, errors included.
func decodeScalar(raw []byte, target any) bool {
	switch to := target.(type) {
	case *string:
		if to == nil || raw[0] != '"' {
			return false
		}
		*to = string(unquote(raw))
	case *bool:
		if to == nil || raw[0] != 't' && raw[0] != 'f' {
			return false
		}
		*to = raw[0] == 't'
	case *int:
		n, err := strconv.Atoi(string(raw))
		if to == nil || err != nil {
			return false
		}
		*to = n
	case *float64:
		f, err := strconv.ParseFloat(string(raw), 64)
		if to == nil || err != nil {
			return false
		}
		*to = f
	default:
		return false
	}
	return true
}

func (a *Args) unmarshal(raw []byte, target any) error {
	if !a.number {
		return json.Unmarshal(raw, target)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return dec.Decode(target)
}

// decodeBinary reads JSON with placeholders in it: encoding/json gets null for each, which it passes over, and then a filler
// puts the attachments in these places.
func (a *Args) decodeBinary(s span, target any) error {
	v := reflect.ValueOf(target)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return &json.InvalidUnmarshalError{Type: reflect.TypeOf(target)}
	}
	switch to := target.(type) {
	case *[]byte:
		if b, ok := a.attachment(s); ok {
			*to = b
			return nil
		}
	case *json.RawMessage:
		*to = bytes.Clone(a.text[s.start:s.end])
		return nil
	}
	raw := make([]byte, 0, s.end-s.start)
	done := s.start
	for _, m := range a.within(s) {
		raw = append(append(raw, a.text[done:m.start]...), "null"...)
		done = m.end
	}
	raw = append(raw, a.text[done:s.end]...)
	if err := a.unmarshal(raw, target); err != nil {
		return err
	}
	return newFiller(*a, s).fill(v.Elem(), s)
}
