package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/fieldlink-go/fieldlink/sioclient/packet"
)

// marker is the only member of an object that stands for binary data.
const marker = "$bytes"

// values turns arguments of the script into what is sent. Those without binary data are sent as they are written.
func values(args []json.RawMessage) ([]any, error) {
	list := make([]any, len(args))
	for i, raw := range args {
		list[i] = raw
		if !bytes.Contains(raw, []byte(marker)) {
			continue
		}
		var v any
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		if err := decoder.Decode(&v); err != nil {
			return nil, err
		}
		var err error
		if list[i], err = withBytes(v); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// withBytes returns v with binary data in the place of the objects that stand for it.
func withBytes(v any) (_ any, err error) {
	switch v := v.(type) {
	case []any:
		for i := range v {
			if v[i], err = withBytes(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		if text, ok := v[marker]; ok && len(v) == 1 {
			raw, err := json.Marshal(text)
			if err != nil {
				return nil, err
			}
			var data []byte
			if err := json.Unmarshal(raw, &data); err != nil {
				return nil, fmt.Errorf("%s: %w", marker, err)
			}
			return data, nil
		}
		for name := range v {
			if v[name], err = withBytes(v[name]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// written is the reverse of values: the arguments as JSON. Those without binary data are as they came.
func written(args packet.Args) (json.RawMessage, error) {
	if len(args.Attachments()) == 0 {
		return args.JSON(), nil
	}
	list := make([]any, args.Len())
	for i := range list {
		if err := args.UseNumber().Decode(i, &list[i]); err != nil {
			return nil, err
		}
		list[i] = withoutBytes(list[i])
	}
	return packet.Marshal(list)
}

func withoutBytes(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string][]byte{marker: v}
	case []any:
		for i := range v {
			v[i] = withoutBytes(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = withoutBytes(v[name])
		}
	}
	return v
}
