//go:build !js

package wsclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"reflect"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// Codec turns values into messages and back. [JSON] is one. It must be safe for concurrent use.
type Codec[T any] interface {
	// Encode returns the message for v.
	Encode(v T) (MessageType, []byte, error)
	// Decode returns the value in m. It must not keep the data.
	Decode(m Message) (T, error)
}

// JSON is the codec for JSON, in text messages; binary ones are decoded as well. The zero value is good for use.
type JSON[T any] struct {
	// Strict does not accept objects with members that T does not have.
	Strict bool
}

// Encode returns v as a text message. The error is that of encoding/json.
func (JSON[T]) Encode(v T) (MessageType, []byte, error) {
	data, err := json.Marshal(v)
	return Text, data, err
}

// Decode returns the value in m, which must be one JSON value and nothing else. Otherwise it returns a *[DecodeError].
func (c JSON[T]) Decode(m Message) (T, error) {
	var v T
	err := c.unmarshal(m.Data, &v)
	if err != nil {
		var zero T
		return zero, decodeError[T](m, err)
	}
	return v, nil
}

// errTrailing is the cause of a decode error after a value that something follows.
var errTrailing = errors.New("data after the value")

func (c JSON[T]) unmarshal(data []byte, v *T) error {
	if !c.Strict {
		return json.Unmarshal(data, v)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

// decode is codec.Decode whose errors are all *DecodeError.
func decode[T any](codec Codec[T], m Message) (T, error) {
	v, err := codec.Decode(m)
	if err != nil && !errors.Is(err, ErrDecode) {
		err = decodeError[T](m, err)
	}
	return v, err
}

func decodeError[T any](m Message, cause error) error {
	return wserr.Decode(opReceive, reflect.TypeFor[T]().String(), m.Data, cause)
}

// encode is codec.Encode whose errors are all *ConfigError.
func encode[T any](codec Codec[T], op string, v T) (MessageType, []byte, error) {
	typ, data, err := codec.Encode(v)
	if err != nil && !errors.Is(err, ErrConfig) {
		err = wserr.Config(op, "value", "cannot be encoded as "+reflect.TypeFor[T]().String())
	}
	return typ, data, err
}

// SendJSON sends v as JSON, in a text message, with [Manager.Send]. A value that encoding/json does not take gives a
// *[ConfigError], and nothing is sent.
func SendJSON[T any](ctx context.Context, m *Manager, v T) error {
	typ, data, err := encode(JSON[T]{}, opSend, v)
	if err != nil {
		return err
	}
	return m.Send(ctx, typ, data)
}

// ReceiveJSON returns the value in the next message, which [Manager.Receive] takes and whose errors it has. A message
// that is not JSON, or does not fit T, gives a *[DecodeError], and the next call goes on.
func ReceiveJSON[T any](ctx context.Context, m *Manager) (T, error) {
	msg, err := m.Receive(ctx)
	if err != nil {
		var zero T
		return zero, err
	}
	return JSON[T]{}.Decode(msg)
}
