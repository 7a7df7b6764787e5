package sioserver

import (
	"context"
	"errors"

	"github.com/fieldlink-go/fieldlink/sioclient/internal/sioerr"
)

// Shutdown ends the server in good order: no new connections are taken, every socket is disconnected with the reason
// "server shutting down", and the connections are closed after what waits for them was sent. It returns when all
// handlers have returned. When ctx ends first, it closes the connections at once and returns an error without waiting
// for handlers that are still running.
//
// Clients see a closed transport and try to connect again. Neither Shutdown nor Close may be called by a handler.
func (s *Server) Shutdown(ctx context.Context) error {
	s.disconnectAll()
	err := s.engine.Shutdown(ctx)
	done := make(chan struct{})
	go func() {
		s.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return errors.Join(err, s.closeAdapters())
	case <-ctx.Done():
		return errors.Join(sioerr.Bare(sioerr.Err, "shutdown", context.Cause(ctx)), s.closeAdapters())
	}
}

// Close ends the server at once: it is Shutdown without sending what waits. It returns when all handlers have returned;
// the contexts of middlewares end.
func (s *Server) Close() error {
	s.disconnectAll()
	err := s.engine.Close()
	s.work.Wait()
	return errors.Join(err, s.closeAdapters())
}

// disconnectAll lets nobody in any more and takes all sockets out.
func (s *Server) disconnectAll() {
	s.mu.Lock()
	s.closing = true
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.release(sioerr.ServerShuttingDown, nil)
	}
	s.cancel()
}

func (s *Server) closeAdapters() error {
	s.mu.Lock()
	list := make([]*Namespace, 0, len(s.namespaces))
	for _, n := range s.namespaces {
		list = append(list, n)
	}
	clear(s.namespaces)
	s.closed = true
	s.mu.Unlock()
	var errs []error
	for _, n := range list {
		errs = append(errs, n.finish())
	}
	return errors.Join(errs...)
}
