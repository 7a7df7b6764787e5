package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
)

// printer prints the results of one device.
type printer struct {
	to     io.Writer
	json   bool
	device string // before every line, with several devices; empty for one
}

// printer prints what belongs to no device.
func (a *app) printer() *printer { return &printer{to: a.sys.Stdout, json: a.globals.output == "json"} }

// show prints a result: as one line of JSON, or as text writes it, in columns that tabs part.
func (p *printer) show(result any, text func(w io.Writer)) error {
	var out bytes.Buffer
	if p.json {
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		if p.device != "" {
			result = deviceResult{Device: p.device, Result: result}
		}
		if err := encoder.Encode(result); err != nil {
			return err
		}
	} else {
		columns := tabwriter.NewWriter(&trimmer{to: &out}, 0, 0, 2, ' ', 0)
		text(columns)
		if err := columns.Flush(); err != nil {
			return err
		}
	}
	if p.json {
		_, err := p.to.Write(out.Bytes())
		return err
	}
	_, err := p.to.Write(prefixed(p.prefix(), out.Bytes()))
	return err
}

// line prints a result whose text is one line.
func (p *printer) line(result any, format string, args ...any) error {
	if p.json {
		return p.show(result, nil)
	}
	_, err := p.to.Write(prefixed(p.prefix(), fmt.Appendf(nil, format+"\n", args...)))
	return err
}

// failed prints, for programs, that a device has no result.
func (p *printer) failed(cause error) error {
	if !p.json {
		return nil
	}
	line, err := json.Marshal(deviceResult{Device: p.device, Error: strings.Join(describe(cause), "; ")})
	if err != nil {
		return err
	}
	_, err = p.to.Write(append(line, '\n'))
	return err
}

// deviceResult is the result of one of several devices.
type deviceResult struct {
	Device string `json:"device"`
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

func (p *printer) prefix() string {
	if p.device == "" {
		return ""
	}
	return p.device + ": "
}

// prefixed puts a prefix before every line.
func prefixed(prefix string, text []byte) []byte {
	if prefix == "" {
		return text
	}
	var out []byte
	for line := range bytes.Lines(text) {
		out = append(append(out, prefix...), line...)
	}
	return out
}

// lines lets several devices write to one place, each write whole.
type lines struct {
	mu sync.Mutex
	to io.Writer
}

// Write writes p before anything else.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

// done prints the result of what has none: nothing, or {"ok":true}.
func (p *printer) done() error {
	return p.show(struct {
		OK bool `json:"ok"`
	}{true}, func(io.Writer) {})
}

// trimmer leaves out blanks at the end of lines, which the last column of a table may have.
type trimmer struct {
	to     *bytes.Buffer
	blanks int
}

// Write writes all but the blanks that no other character follows so far.
func (t *trimmer) Write(p []byte) (int, error) {
	for _, b := range p {
		if b == ' ' {
			t.blanks++
			continue
		}
		if b != '\n' {
			t.to.WriteString(strings.Repeat(" ", t.blanks))
		}
		t.blanks = 0
		t.to.WriteByte(b)
	}
	return len(p), nil
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
