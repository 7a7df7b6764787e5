package sioclient

import (
	"context"
	"encoding/json"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
	"github.com/fieldlink-go/fieldlink/sioclient/internal/event"
)

// ask gets what to send with CONNECT from the program, and sends it. The caller holds the lock.
func (s *Socket) ask(l *link) {
	ctx, cancel := context.WithCancel(l.ctx)
	s.asking = cancel
	s.m.wg.Go(func() {
		defer cancel()
		for attempt := 1; ; attempt++ {
			auth, err := s.callAuthFunc(ctx)
			if !s.answered(ctx, l, auth, err, attempt) || retry.Wait(ctx, s.m.opts.Backoff(attempt)) != nil {
				return
			}
		}
	})
}

func (s *Socket) callAuthFunc(ctx context.Context) (auth json.RawMessage, err error) {
	err = event.Guard(func() error {
		v, err := s.opts.AuthFunc(ctx)
		if err != nil {
			return err
		}
		auth, err = encodeAuth(v)
		return err
	})
	return auth, err
}

// answered does what the answer of the program asks for. It reports whether to ask again.
func (s *Socket) answered(ctx context.Context, l *link, auth json.RawMessage, err error, attempt int) (again bool) {
	m := s.m
	var after deferred
	defer func() { after.run() }()
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil || !s.active || l.over {
		return false
	}
	if err == nil {
		s.sendConnect(l, auth)
		return false
	}
	failure := &ConnectionError{
		Info: errkit.Info{
			Class: ErrConnection, Op: "auth", Target: m.target, Attempts: attempt,
			Kind: errkit.TransportKind(err), Err: errkit.CleanCause(err),
		},
		Namespaces: []string{s.nsp},
	}
	limit := m.opts.ReconnectionAttempts
	if m.opts.DisableReconnection || limit > 0 && attempt > limit {
		s.abandon(failure, &after)
	} else {
		s.connectFailed(failure, &after)
	}
	m.stopIfIdle()
	return s.active
}
