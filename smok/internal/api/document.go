package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// Limits of a document.
const (
	maxDepth   = 512     // lists and objects inside one another, as in MiniJSON
	maxEntries = 1 << 16 // of the list that a document is
	maxReports = 16      // bad entries of one document that are reported one by one
)

// document returns the body as JSON text; nil if it is empty.
func (a *answer) document() ([]byte, error) {
	body := bytes.TrimSpace(a.body)
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type")) // JSON without one
	switch kind {
	case typeMiniJSON:
		if len(a.body) == 0 {
			return nil, nil
		}
		return minijson.ToJSON(a.body)
	case "text/html":
		return nil, errPage
	}
	if len(body) == 0 {
		return nil, nil
	}
	if err := checkDepth(body); err != nil {
		return nil, err
	}
	return body, nil
}

// checkDepth refuses JSON text that is nested too deep, before anything recursive looks at it. Whether it is JSON is for
// others to tell.
func checkDepth(doc []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(doc); i++ {
		switch b := doc[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '[' || b == '{':
			if depth++; depth > maxDepth {
				return fmt.Errorf("nested deeper than %d: %w", maxDepth, errkit.TooLarge)
			}
		case b == ']' || b == '}':
			depth--
		}
	}
	return nil
}

// get performs a call and decodes its answer, a JSON object, into result. An empty answer leaves it alone.
func (c *Client) get(ctx context.Context, k *call, result any) error {
	a, err := c.fetch(ctx, k)
	if err != nil {
		return err
	}
	doc, err := a.document()
	if err == nil && doc != nil {
		err = json.Unmarshal(doc, result)
	}
	if err != nil {
		return c.badAnswer(k, a, err)
	}
	return nil
}

// list performs a call whose answer is a list, and hands its entries to each, one by one. What each fails for is skipped
// and reported as a bad what. An empty answer has no entries.
func (c *Client) list(ctx context.Context, k *call, what string, each func(entry json.RawMessage) error) error {
	_, err := c.wholeList(ctx, k, what, each)
	return err
}

// wholeList is list, and reports whether the hub sent a list that says everything: there was one, and no entry was
// skipped.
func (c *Client) wholeList(ctx context.Context, k *call, what string, each func(entry json.RawMessage) error) (bool, error) {
	a, err := c.fetch(ctx, k)
	if err != nil {
		return false, err
	}
	doc, err := a.document()
	whole := len(doc) > 0 && doc[0] == '['
	if err == nil {
		err = c.entries(k.op, what, doc, func(entry json.RawMessage) error {
			err := each(entry)
			whole = whole && err == nil
			return err
		})
	}
	if err != nil {
		return false, c.badAnswer(k, a, err)
	}
	return whole, nil
}

// entries hands the entries of a JSON list to each. The list as a whole is checked first: a document that breaks off has
// no entries at all.
func (c *Client) entries(op, what string, doc []byte, each func(entry json.RawMessage) error) error {
	if doc == nil || bytes.Equal(doc, []byte("null")) {
		return nil
	}
	switch {
	case doc[0] != '[':
		return errors.New("not a list")
	case !json.Valid(doc):
		return errors.New("not JSON")
	}
	report := reporter{client: c, op: op, what: what}
	defer report.end()
	decoder := json.NewDecoder(bytes.NewReader(doc))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for i := 0; decoder.More(); i++ {
		if i == maxEntries {
			return fmt.Errorf("over %d entries: %w", maxEntries, errkit.TooLarge)
		}
		var entry json.RawMessage
		if err := decoder.Decode(&entry); err != nil {
			return err
		}
		if err := each(entry); err != nil {
			report.bad(i, err)
		}
	}
	if _, err := decoder.Token(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// reporter tells [Config.OnBadEntry] of the entries of one document that were skipped: of the first ones one by one, and
// of how many there were beyond.
type reporter struct {
	client   *Client
	op, what string
	count    int
}

func (r *reporter) bad(index int, cause error) {
	if r.count++; r.count <= maxReports {
		r.client.cfg.OnBadEntry(smokerr.BadEntry(r.op, r.what, index, "", cause))
	}
}

func (r *reporter) end() {
	if more := r.count - maxReports; more > 0 {
		r.client.cfg.OnBadEntry(smokerr.BadEntry(r.op, r.what, 0, fmt.Sprintf("and %d more of the same list", more), nil))
	}
}
