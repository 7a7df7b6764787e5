package main

import "fmt"

// The documents that devices and hubs exchange, as structs and as a dynamic tree.
type (
	order struct {
		Type   string  `json:"type" msgpack:"type"`
		Path   string  `json:"path" msgpack:"path"`
		Value  float64 `json:"value" msgpack:"value"`
		Advise int     `json:"advise" msgpack:"advise"`
	}
	section struct {
		Orders      []order `json:"orders" msgpack:"orders"`
		Disposition int     `json:"disposition" msgpack:"disposition"`
	}
	series struct {
		Path   string     `json:"path" msgpack:"path"`
		Values [][2]int64 `json:"values" msgpack:"values"`
	}
	record struct {
		Service string `json:"service" msgpack:"service"`
		When    int64  `json:"when" msgpack:"when"`
		Message string `json:"message" msgpack:"message"`
		Level   int    `json:"level" msgpack:"level"`
		Trouble string `json:"exception_text,omitempty" msgpack:"exception_text,omitempty"`
	}
	call struct {
		Service string            `json:"service" msgpack:"service"`
		When    int64             `json:"when" msgpack:"when"`
		Message string            `json:"message" msgpack:"message"`
		Level   int               `json:"level" msgpack:"level"`
		Args    map[string]string `json:"args,omitempty" msgpack:"args,omitempty"`
	}
)

// orders returns four sections of eight orders.
func orders() *[]section {
	sections := make([]section, 4)
	for i := range sections {
		sections[i].Disposition = i % 2
		for j := range 8 {
			sections[i].Orders = append(sections[i].Orders, order{"write", fmt.Sprintf("W%d", 8*i+j), 21.5 + float64(j), 1})
		}
	}
	return &sections
}

// samples returns ten series of a hundred samples.
func samples() *[]series {
	all := make([]series, 10)
	for i := range all {
		all[i].Path = fmt.Sprintf("r0.temp.%d", i)
		for j := range 100 {
			all[i].Values = append(all[i].Values, [2]int64{1_795_000_000_000 + int64(1000*j), int64(200 + j*i)})
		}
	}
	return &all
}

// records returns fifty records of a log.
func records() *[]record {
	all := make([]record, 50)
	for i := range all {
		all[i] = record{
			Service: "gateway", When: 1_795_000_000_000_000 + int64(i), Level: 10 * (i % 5),
			Message: "pathpoint r0.temp.1 was written and read again: the value did not change",
		}
	}
	return &all
}

// calls returns the records of a log with arguments: small maps of strings.
func calls() *[]call {
	all := make([]call, 50)
	for i, r := range *records() {
		all[i] = call{
			Service: r.Service, When: r.When, Message: r.Message, Level: r.Level,
			Args: map[string]string{"path": "r0.temp.1", "device": "0000000a"},
		}
	}
	return &all
}

// tree returns the records as a program has them that knows nothing of their shape.
func tree() *any {
	var list []any
	for _, r := range *records() {
		list = append(list, map[string]any{"service": r.Service, "when": r.When, "message": r.Message, "level": int64(r.Level)})
	}
	v := any(list)
	return &v
}
