package pikvmtest

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// router is the router of the daemon behind the web server: exact paths without the /api in front.
type router struct {
	auth   *auth
	routes map[string]map[string]*route // by path, then by method
}

type route struct {
	handle func(*call) error
	public bool
}

// call is one request that reached its handler.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	query url.Values
	who   identity
}

// arg returns a query parameter. Of a repeated one only the first value counts.
func (c *call) arg(name string) arg {
	values, ok := c.query[name]
	if !ok {
		return arg{}
	}
	return arg{values[0], true}
}

func (c *call) ok(result any) error {
	writeResult(c.w, result)
	return nil
}

// add registers a handler that only authenticated requests reach. What the handler returns as an error is the answer.
func (k *router) add(method, path string, handle func(*call) error) {
	k.set(method, path, &route{handle: handle})
}

// addPublic registers a handler that checks nothing.
func (k *router) addPublic(method, path string, handle func(*call) error) {
	k.set(method, path, &route{handle: handle, public: true})
}

func (k *router) set(method, path string, rt *route) {
	if k.routes[path] == nil {
		k.routes[path] = make(map[string]*route)
	}
	k.routes[path][method] = rt
}

func (k *router) serve(w http.ResponseWriter, r *http.Request) {
	path := daemonPath(r.URL.EscapedPath())
	methods, ok := k.routes[pattern(path)]
	if !ok {
		if clean, ok := k.clean(r); ok {
			w.Header().Set("Location", clean)
			writeStatusText(w, http.StatusPermanentRedirect)
			return
		}
		writeStatusText(w, http.StatusNotFound)
		return
	}
	rt, ok := methods[r.Method]
	if !ok {
		allow := make([]string, 0, len(methods))
		for method := range methods {
			allow = append(allow, method)
		}
		slices.Sort(allow)
		w.Header().Set("Allow", strings.Join(allow, ","))
		writeStatusText(w, http.StatusMethodNotAllowed)
		return
	}
	if err := k.call(rt, w, r); err != nil {
		var refused *apiError
		if !errors.As(err, &refused) {
			writeTrouble(w)
			return
		}
		writeError(w, refused)
	}
}

func (k *router) call(rt *route, w http.ResponseWriter, r *http.Request) error {
	c := &call{w: w, r: r, query: r.URL.Query()}
	if !rt.public {
		who, err := k.auth.check(r)
		if err != nil {
			return err
		}
		c.who = who
	}
	return rt.handle(c)
}

var slashes = regexp.MustCompile("//+")

// clean returns where a path that is unknown only for its slashes leads to: doubled ones become one, a trailing one
// goes. The method must exist there, and the query is kept.
func (k *router) clean(r *http.Request) (string, bool) {
	path := slashes.ReplaceAllString(r.URL.EscapedPath(), "/")
	for _, candidate := range []string{path, strings.TrimSuffix(path, "/")} {
		if k.routes[pattern(daemonPath(candidate))][r.Method] == nil {
			continue
		}
		if r.URL.RawQuery != "" {
			candidate += "?" + r.URL.RawQuery
		}
		return candidate, true
	}
	return "", false
}

// anySystem stands for the id in the path of a system of Redfish, the only part of a path that is not fixed.
const anySystem = "{id}"

var systemPath = regexp.MustCompile(`\A(/redfish/v1/Systems/)([^/]+)(/.*)?\z`)

// pattern is a path as routes have it.
func pattern(path string) string { return systemPath.ReplaceAllString(path, "${1}"+anySystem+"${3}") }

// daemonPath is the path that the web server hands to the daemon.
func daemonPath(public string) string {
	if rest, ok := strings.CutPrefix(public, "/api/"); ok {
		return "/" + rest
	}
	return public
}
