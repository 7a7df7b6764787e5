//go:build goexperiment.jsonv2

package main

import (
	"bytes"
	"encoding/json/v2"
)

// jsonV2 is there in programs built with GOEXPERIMENT=jsonv2. In these, encoding/json stands on it too.
var jsonV2 = []codec{{
	"json/v2",
	func(v any) ([]byte, error) { return json.Marshal(v) },
	func(b []byte, v any) error { return json.Unmarshal(b, v) },
	func() func(any) error {
		var b bytes.Buffer
		return func(v any) error {
			b.Reset()
			return json.MarshalWrite(&b, v)
		}
	},
}}
