package pikvmtest

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"time"
)

// spoil answers a request under a fault. next is the device.
func (s *Server) spoil(f *Fault, w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if f.Delay > 0 && s.sleep(r.Context(), f.Delay) != nil {
		panic(http.ErrAbortHandler)
	}
	switch f.Kind {
	case FaultAnswer, FaultPage, FaultGarbage:
		f.answer(w)
	case FaultReset:
		abort(r)
	case FaultHang:
		select {
		case <-r.Context().Done():
		case <-s.ctx.Done():
		}
		panic(http.ErrAbortHandler)
	case FaultLost, FaultTruncate, FaultSlow, FaultOversize:
		s.distort(f, w, r, next)
	default:
		next(w, r)
	}
}

// answer speaks instead of the device.
func (f *Fault) answer(w http.ResponseWriter) {
	status, contentType, body := f.Status, typeJSON, string(f.Body)
	switch f.Kind {
	case FaultPage:
		if status == 0 {
			status = http.StatusBadGateway
		}
		contentType, body = "text/html", page(status)
	case FaultGarbage:
		status = http.StatusOK
		if f.Body == nil {
			body = `{"ok": tru{"result"`
		}
	}
	if status == 0 {
		status = http.StatusOK
	}
	for name, values := range f.Header {
		w.Header()[name] = values
	}
	if own := f.Header.Get("Content-Type"); own != "" {
		contentType = own
	}
	write(w, status, contentType, body)
}

// distort lets the device answer into memory and sends a spoiled copy.
func (s *Server) distort(f *Fault, w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	kept := &keptAnswer{header: w.Header(), status: http.StatusOK}
	next(kept, r)
	body := kept.body.Bytes()
	switch f.Kind {
	case FaultLost:
		abort(r)
	case FaultTruncate:
		w.WriteHeader(kept.status) // the full Content-Length is promised
		_, _ = w.Write(body[:min(f.Bytes, len(body))])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case FaultSlow:
		w.WriteHeader(kept.status)
		s.trickle(r.Context(), w, body, max(f.Bytes, 1), f.Interval)
	case FaultOversize:
		body = append(body, bytes.Repeat([]byte(" "), max(f.Bytes-len(body), 0))...)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(kept.status)
		_, _ = w.Write(body)
	}
}

func (s *Server) trickle(ctx context.Context, w http.ResponseWriter, body []byte, piece int, interval time.Duration) {
	for len(body) > 0 {
		n := min(piece, len(body))
		if _, err := w.Write(body[:n]); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		body = body[n:]
		if len(body) > 0 && s.sleep(ctx, interval) != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// abort resets the connection of a request and leaves its handler.
func abort(r *http.Request) {
	connOf(r.Context()).reset()
	panic(http.ErrAbortHandler)
}

// keptAnswer is an answer in memory.
type keptAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *keptAnswer) Header() http.Header         { return k.header }
func (k *keptAnswer) WriteHeader(status int)      { k.status = status }
func (k *keptAnswer) Write(p []byte) (int, error) { return k.body.Write(p) }
