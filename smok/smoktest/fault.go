package smoktest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind says how a [Fault] spoils an exchange.
type FaultKind int

// The kinds of faults. Those of the first group act instead of the hub, which does not do what was asked, unless
// [Fault.AfterEffect] is set. With those of the second group it does, and its answer is spoiled.
const (
	FaultDelay      FaultKind = iota // the request waits for Delay, then goes its way
	FaultAnswer                      // Status, RetryAfter, Header and Body are the answer
	FaultGarbage                     // 200 and application/json, with a body that is not JSON
	FaultWrongShape                  // 200 with one of [WrongShapes], the next one each time
	FaultReset                       // the connection is reset without an answer
	FaultHang                        // no answer ever, until the device leaves

	FaultTruncate // the answer is cut after Bytes bytes of its body, with the connection
	FaultSlow     // the body comes in pieces of Bytes bytes (zero means 1), one every Interval
	FaultOversize // JSON white space pads the body to Bytes bytes
)

// Fault spoils requests. Fields that its kind does not name are ignored, except Delay, which every kind honours first.
type Fault struct {
	Kind FaultKind

	// AfterEffect lets the hub do what was asked before it fails: the answer is lost, the effect is not. With FaultDelay
	// the wait is between the two.
	AfterEffect bool

	// Device restricts the fault to one device, Method to one method. Empty means all.
	Device, Method string

	// Path is the escaped path as devices send it, for instance "/v1/device/orders". A trailing "*" makes it a prefix.
	// Empty means all paths.
	Path string

	// Skip is the number of matching requests that pass before the fault begins.
	Skip int

	// Times is the number of requests that the fault spoils. Zero means all until it is removed.
	Times int

	Delay      time.Duration // waited before anything else
	Status     int           // FaultAnswer; zero means 500
	RetryAfter time.Duration // FaultAnswer: a header with so many seconds; zero means none
	Header     http.Header   // FaultAnswer
	Body       []byte        // FaultAnswer (nil means an object with a status text), FaultGarbage (nil means broken JSON)
	Bytes      int           // FaultTruncate, FaultSlow, FaultOversize
	Interval   time.Duration // FaultSlow
}

// WrongShapes returns the bodies of FaultWrongShape: JSON that no endpoint answers with, or not that one.
func WrongShapes() []string {
	return []string{
		`null`, `true`, `0`, `-1.5e300`, `"text"`, `[]`, `{}`, `[[]]`, `[null]`, `[{}]`, `["text"]`, `[1,2]`,
		`{"status":7}`, `{"value":[],"timestamp":"soon"}`, `{"should_delete":7,"should_download":{},"should_upload":null}`,
		`[{"uuid":7,"path":[],"macro_id":null,"predicate_id":{},"fqts":0,"interval":"often","orders":{}}]`,
		`[{"orders":[{"type":"write"},{"type":7},7,null],"disposition":"none"}]`,
		strings.Repeat("[", 2000) + strings.Repeat("]", 2000),
	}
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
func (h *Hub) Inject(f Fault) *Injected { return h.faults.add(f) }

// ClearFaults removes all faults of [Hub.Inject]. Requests that are being spoiled stay spoiled.
func (h *Hub) ClearFaults() {
	h.faults.mu.Lock()
	defer h.faults.mu.Unlock()
	h.faults.active = nil
}

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

// take returns the fault that spoils this request, if one does, counts it, and says how many it had spoiled before.
func (fs *faults) take(device string, r *http.Request) (f *Fault, before int) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, i := range fs.active {
		if i.left == 0 || !i.fault.matches(device, r) {
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
		return &i.fault, i.hits - 1
	}
	return nil, 0
}

func (f *Fault) matches(device string, r *http.Request) bool {
	if f.Device != "" && f.Device != device || f.Method != "" && f.Method != r.Method {
		return false
	}
	path := r.URL.EscapedPath()
	if prefix, ok := strings.CutSuffix(f.Path, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return f.Path == "" || f.Path == path
}
