package smoktest

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

const (
	typeMiniJSON = "application/minijson"
	typeJSON     = "application/json"
	typeBytes    = "application/octet-stream"
)

// answer is what the hub sends back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// refusal is an error that the device gets to see.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

func refuse(status int, format string, args ...any) error {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

// bad refuses a body.
func bad(format string, args ...any) error { return refuse(http.StatusBadRequest, format, args...) }

// encoded is an answer with a document, as JSON or MiniJSON.
func (h *Hub) encoded(status int, document any) answer {
	contentType, encode := typeJSON, json.Marshal
	if h.opts.MiniJSONAnswers {
		contentType, encode = typeMiniJSON, minijson.Marshal
	}
	body, err := encode(document)
	if err != nil { // the test gave the hub a value that has no such form
		status, contentType = http.StatusInternalServerError, typeJSON
		body = []byte(`{"status":"no such form"}`)
	}
	return answer{status, http.Header{"Content-Type": {contentType}}, body}
}

// failed is the answer to a refused request.
func (h *Hub) failed(r *refusal) answer {
	return h.encoded(r.status, map[string]any{"status": r.text})
}
