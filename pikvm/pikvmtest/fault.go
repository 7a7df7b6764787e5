package pikvmtest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind says how a [Fault] spoils an exchange.
type FaultKind int

// The kinds of faults. The first group acts instead of the device, which never sees the request; the second lets the
// device act and spoils what it answers. Answers to a successful WebSocket handshake cannot be spoiled by the second
// group.
const (
	FaultDelay   FaultKind = iota // the request waits for Delay, then goes its way
	FaultAnswer                   // Status, Header and Body are the answer
	FaultPage                     // an HTML error page of the web server, with Status (zero means 502)
	FaultGarbage                  // 200 and application/json, with a body that is not JSON
	FaultReset                    // the connection is reset without an answer
	FaultHang                     // no answer ever, until the client leaves

	FaultLost     // the device obeys, then the connection is reset instead of the answer
	FaultTruncate // the answer is cut after Bytes bytes of its body, with the connection
	FaultSlow     // the body comes in pieces of Bytes bytes (zero means 1), one every Interval
	FaultOversize // JSON white space pads the body to Bytes bytes
)

// Fault spoils requests. Fields that its kind does not name are ignored, except Delay, which every kind honours first.
type Fault struct {
	Kind FaultKind

	// Method restricts the fault to one method. Empty means all.
	Method string

	// Path is the escaped path as clients send it, for instance "/api/atx/click". A trailing "*" makes it a prefix.
	// Empty means all paths.
	Path string

	// Skip is the number of matching requests that pass before the fault begins.
	Skip int

	// Times is the number of requests that the fault spoils. Zero means all until it is removed.
	Times int

	Delay    time.Duration // waited before anything else
	Status   int           // FaultAnswer (zero means 200), FaultPage
	Header   http.Header   // FaultAnswer, FaultPage
	Body     []byte        // FaultAnswer, FaultGarbage (nil means a piece of broken JSON)
	Bytes    int           // FaultTruncate, FaultSlow, FaultOversize
	Interval time.Duration // FaultSlow
}

// Injected is a fault at work.
type Injected struct {
	faults *faults
	fault  Fault
	skip   int
	left   int // spoiled requests left; negative means no end
	hits   int
}

// Inject puts a fault to work. Of several that match a request the oldest one that still has requests left acts alone.
func (s *Server) Inject(f Fault) *Injected { return s.faults.add(f) }

// ClearFaults removes all faults of [Server.Inject]. Requests that are being spoiled stay spoiled.
func (s *Server) ClearFaults() { s.faults.clear() }

// Remove ends the fault.
func (i *Injected) Remove() {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	i.faults.active = slices.DeleteFunc(i.faults.active, func(other *Injected) bool { return other == i })
}

// Hits returns how many requests the fault has spoiled or begun to spoil.
func (i *Injected) Hits() int {
	i.faults.mu.Lock()
	defer i.faults.mu.Unlock()
	return i.hits
}

type faults struct {
	mu     sync.Mutex
	active []*Injected
}

func (fs *faults) add(f Fault) *Injected {
	f.Header = f.Header.Clone()
	f.Body = slices.Clone(f.Body)
	i := &Injected{faults: fs, fault: f, skip: f.Skip, left: f.Times}
	if f.Times == 0 {
		i.left = -1
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.active = append(fs.active, i)
	return i
}

func (fs *faults) clear() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.active = nil
}

// take returns the fault that spoils this request, if one does, and counts it.
func (fs *faults) take(r *http.Request) *Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, i := range fs.active {
		if i.left == 0 || !i.fault.matches(r) {
			continue
		}
		if i.skip > 0 {
			i.skip--
			continue
		}
		if i.left > 0 {
			i.left--
		}
		i.hits++
		return &i.fault
	}
	return nil
}

func (f *Fault) matches(r *http.Request) bool {
	if f.Method != "" && f.Method != r.Method {
		return false
	}
	path := r.URL.EscapedPath()
	if prefix, ok := strings.CutSuffix(f.Path, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return f.Path == "" || f.Path == path
}
