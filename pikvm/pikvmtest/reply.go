package pikvmtest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// apiError is a refusal in the envelope of the device.
type apiError struct {
	status  int
	name    string
	message string
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %s", e.status, e.name, e.message) }

var (
	errUnauthorized = &apiError{http.StatusUnauthorized, "UnauthorizedError", "Unauthorized"}
	errForbidden    = &apiError{http.StatusForbidden, "ForbiddenError", "Forbidden"}
)

// errTrouble is a handler that broke.
var errTrouble = errors.New("pikvmtest: the device got itself in trouble")

const (
	typeJSON = "application/json; charset=utf-8"
	typeText = "text/plain; charset=utf-8"
)

// envelope is what wraps every JSON answer of the API.
type envelope struct {
	OK     bool `json:"ok"`
	Result any  `json:"result"`
}

// writeResult answers 200 with the result in its envelope. Nil stands for {}.
func writeResult(w http.ResponseWriter, result any) {
	if result == nil {
		result = struct{}{}
	}
	writeJSON(w, http.StatusOK, envelope{true, result})
}

func writeError(w http.ResponseWriter, e *apiError) {
	writeJSON(w, e.status, envelope{false, map[string]string{"error": e.name, "error_msg": e.message}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := pyJSON(v, true)
	if err != nil {
		writeTrouble(w)
		return
	}
	write(w, status, typeJSON, string(body))
}

// writeStatusText answers as the router of the device does: the body repeats the status.
func writeStatusText(w http.ResponseWriter, status int) {
	write(w, status, typeText, fmt.Sprintf("%d: %s", status, http.StatusText(status)))
}

// writeTrouble answers as the device does when a handler breaks.
func writeTrouble(w http.ResponseWriter) {
	write(w, http.StatusInternalServerError, typeText, "500 Internal Server Error\n\nServer got itself in trouble")
}

// writePage answers with an error page of the web server in front of the device.
func writePage(w http.ResponseWriter, status int) {
	write(w, status, "text/html", page(status))
}

// page is an error page of nginx. Some of its names for statuses are not those of net/http.
func page(status int) string {
	text := http.StatusText(status)
	switch status {
	case http.StatusFound:
		text = "Moved Temporarily"
	case http.StatusGatewayTimeout:
		text = "Gateway Time-out"
	case http.StatusServiceUnavailable:
		text = "Service Temporarily Unavailable"
	}
	title := fmt.Sprintf("%d %s", status, text)
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
}

func write(w http.ResponseWriter, status int, contentType, body string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a client that left is seen by the server, not here
}
