package smoktest

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// exchange answers one request, which has been read.
type exchange struct {
	hub *Hub
	w   http.ResponseWriter
	r   *http.Request
	// effect does what was asked and returns the answer.
	effect func() answer
	// note takes note of the status before the answer leaves.
	note func(status int)
}

// run answers as the hub does, or as a fault wants it; the fault had spoiled so many requests before.
func (x *exchange) run(f *Fault, before int) {
	if f == nil {
		x.send(x.effect())
		return
	}
	var good answer
	obeys := f.AfterEffect || f.Kind >= FaultTruncate
	if f.Kind == FaultDelay && f.AfterEffect {
		good = x.effect()
	}
	x.sleep(f.Delay)
	if f.Kind == FaultDelay {
		if !f.AfterEffect {
			good = x.effect()
		}
		x.send(good)
		return
	}
	if obeys {
		good = x.effect()
	}
	switch f.Kind {
	case FaultReset:
		resetConn(x.r.Context())
		panic(http.ErrAbortHandler)
	case FaultHang:
		select {
		case <-x.r.Context().Done():
		case <-x.hub.ctx.Done():
		}
		panic(http.ErrAbortHandler)
	case FaultTruncate:
		x.truncate(good, f.Bytes)
	case FaultSlow:
		x.trickle(good, max(f.Bytes, 1), f.Interval)
	case FaultOversize:
		good.body = append(bytes.Clone(good.body), bytes.Repeat([]byte(" "), max(f.Bytes-len(good.body), 0))...)
		x.send(good)
	default:
		x.send(f.answer(x.hub, before))
	}
}

// answer is what the hub says instead.
func (f *Fault) answer(h *Hub, before int) answer {
	json := http.Header{"Content-Type": {typeJSON}}
	switch f.Kind {
	case FaultGarbage:
		if f.Body == nil {
			return answer{http.StatusOK, json, []byte(`[{"path":tru{"`)}
		}
		return answer{http.StatusOK, json, f.Body}
	case FaultWrongShape:
		shapes := WrongShapes()
		return answer{http.StatusOK, json, []byte(shapes[before%len(shapes)])}
	}
	status := f.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	a := answer{status, json, f.Body}
	if f.Body == nil {
		a = h.failed(&refusal{status, http.StatusText(status)})
	}
	for name, values := range f.Header {
		a.header[name] = values
	}
	if f.RetryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(int(f.RetryAfter/time.Second)))
	}
	return a
}

func (x *exchange) send(a answer) {
	x.begin(a)
	_, _ = x.w.Write(a.body) // the device may be gone
}

// begin sends the head of an answer.
func (x *exchange) begin(a answer) {
	for name, values := range a.header {
		x.w.Header()[name] = values
	}
	if a.status != http.StatusNoContent && a.status != http.StatusNotModified {
		x.w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	x.note(a.status)
	x.w.WriteHeader(a.status)
}

func (x *exchange) truncate(a answer, n int) {
	x.begin(a) // the full Content-Length is promised
	_, _ = x.w.Write(a.body[:min(n, len(a.body))])
	x.flush()
	panic(http.ErrAbortHandler)
}

func (x *exchange) trickle(a answer, piece int, interval time.Duration) {
	x.begin(a)
	for body := a.body; len(body) > 0; {
		n := min(piece, len(body))
		if _, err := x.w.Write(body[:n]); err != nil {
			return
		}
		x.flush()
		if body = body[n:]; len(body) > 0 {
			x.sleep(interval)
		}
	}
}

func (x *exchange) flush() { _ = http.NewResponseController(x.w).Flush() } // the device may be gone

// sleep waits for d; if the device leaves or the hub is closed, the handler ends.
func (x *exchange) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return
	case <-x.r.Context().Done():
	case <-x.hub.ctx.Done():
	}
	panic(http.ErrAbortHandler)
}
