package smoktest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// payload says what a request carries.
type payload uint8

const (
	nothing  payload = iota
	document         // MiniJSON
	form             // multipart/form-data
)

// route is one endpoint. The segment "*" of its path stands for any one that is not empty.
type route struct {
	method  string
	path    []string
	carries payload
	serve   func(*call) (any, error)
}

// newRoutes are the 21 endpoints, in the order of the areas of a device.
func newRoutes() []route {
	r := func(method, path string, carries payload, serve func(*call) (any, error)) route {
		return route{method, strings.Split("/v1/device"+path, "/"), carries, serve}
	}
	return []route{
		r("GET", "", nothing, getInfo),
		r("POST", "/pathpoints", document, postValues),
		r("PUT", "/pathpoints", document, putPathpoints),
		r("GET", "/pathpoints/archived", nothing, getArchives),
		r("GET", "/sensors", nothing, getSensors),
		r("PUT", "/sensor/write_log", document, putSensorWrites),
		r("POST", "/orders", nothing, postOrders),
		r("POST", "/orders/message/*", nothing, postMessage),
		r("GET", "/macro/occurrences/*", nothing, getOccurrences),
		r("POST", "/macros/*/*", nothing, postMacro),
		r("GET", "/predicates", nothing, getPredicates),
		r("POST", "/alarms", document, postAlarms),
		r("GET", "/metadata/plain/*", nothing, getMetadata),
		r("PUT", "/metadata/plain/*", document, putMetadata),
		r("DELETE", "/metadata/plain/*", nothing, deleteMetadata),
		r("POST", "/baobs", document, postBAOBs),
		r("GET", "/baobs/*", nothing, getBAOB),
		r("PUT", "/baobs/*", form, putBAOB),
		r("GET", "/instrumentation/*", nothing, getSlave),
		r("PATCH", "/instrumentation/*", document, patchSlave),
		r("PUT", "/device_logs", document, putLogs),
	}
}

// find returns the endpoint of a request and the segments that stand for stars.
func (h *Hub) find(r *http.Request) (*route, []string, error) {
	path, unescape := r.URL.EscapedPath(), url.PathUnescape
	if h.opts.PlusIsSpace && strings.HasPrefix(path, "/v1/device/metadata/") {
		unescape = url.QueryUnescape
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		plain, err := unescape(s)
		if err != nil {
			return nil, nil, bad("path: %s is not an escaped segment", s)
		}
		segments[i] = plain
	}
	var methods []string
	for i := range h.routes {
		args, ok := h.routes[i].match(segments)
		if ok && h.routes[i].method == r.Method {
			return &h.routes[i], args, nil
		}
		if ok {
			methods = append(methods, h.routes[i].method)
		}
	}
	if methods == nil {
		return nil, nil, refuse(http.StatusNotFound, "no such endpoint")
	}
	slices.Sort(methods)
	return nil, nil, refuse(http.StatusMethodNotAllowed, "the endpoint has %s", strings.Join(methods, ", "))
}

func (r *route) match(segments []string) (args []string, ok bool) {
	if len(segments) != len(r.path) {
		return nil, false
	}
	for i, want := range r.path {
		switch {
		case want == "*" && segments[i] != "":
			args = append(args, segments[i])
		case want != segments[i]:
			return nil, false
		}
	}
	return args, true
}
