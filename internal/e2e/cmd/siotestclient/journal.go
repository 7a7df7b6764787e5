package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// journal writes down what happens, one line of JSON for each thing.
type journal struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
}

func newJournal(out io.Writer) *journal { return &journal{out: out, start: time.Now()} }

// write takes the members of the line as names and values.
func (j *journal) write(kind string, members ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	line := fmt.Appendf(nil, `{"at_ms":%d,"kind":%q`, time.Since(j.start).Milliseconds(), kind)
	for i := 0; i < len(members); i += 2 {
		value, err := json.Marshal(members[i+1])
		if err != nil {
			value = fmt.Appendf(nil, "%q", err)
		}
		line = fmt.Appendf(line, `,%q:%s`, members[i], value)
	}
	_, _ = j.out.Write(append(line, "}\n"...)) // who reads it has gone, then
}

// fail writes down an error, which may be nil: its class, its text and the fields of its type.
func (j *journal) fail(kind string, err error, members ...any) {
	if err == nil {
		j.write(kind, members...)
		return
	}
	report := errkit.NewReport(err)
	members = append(members, "class", report.Class, "text", err.Error())
	for name, value := range report.Fields {
		members = append(members, name, value)
	}
	j.write(kind, members...)
}
