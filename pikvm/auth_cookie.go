package pikvm

import (
	"context"
	"errors"
	"sync"
)

// cookieSession keeps the token of the client's session on the device and makes sure that however many requests
// need one at once share one login.
type cookieSession struct {
	login   func(ctx context.Context) (token string, err error)
	life    context.Context // ends with the client
	running *sync.WaitGroup // the client's; whoever calls is counted in it already

	mu      sync.Mutex
	open    bool         // a login succeeded and nothing ended the session since
	token   string       // empty on a device without authentication
	logins  uint64       // logins that the device decided on, either way
	refused error        // the device's decision on the last one, nil if it let us in
	flight  *loginFlight // for newcomers to join; earlier ones may still be under way
}

// loginFlight is a login under way. It belongs to those who wait for it: when the last one leaves, it ends.
type loginFlight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiters int
	token   string
	logins  uint64
	err     error
}

// get returns the token of the session and the number of its login, after a login if there is no session.
func (s *cookieSession) get(ctx context.Context) (token string, login uint64, err error) {
	s.mu.Lock()
	if s.open {
		defer s.mu.Unlock()
		return s.token, s.logins, nil
	}
	return s.join(ctx)
}

// renew replaces the session of that login, which the device no longer knows. Requests of one burst share the
// login that the first of them starts, and its outcome, even those that come when it is over.
func (s *cookieSession) renew(ctx context.Context, login uint64) (token string, newer uint64, err error) {
	s.mu.Lock()
	if s.logins != login {
		if s.open || s.refused != nil {
			defer s.mu.Unlock()
			return s.token, s.logins, s.refused
		}
	} else {
		s.open = false
	}
	return s.join(ctx)
}

// restart begins a new session even if there is one.
func (s *cookieSession) restart(ctx context.Context) (token string, err error) {
	s.mu.Lock()
	s.open = false
	token, _, err = s.join(ctx)
	return token, err
}

// current returns the token of the session, empty if there is none.
func (s *cookieSession) current() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open {
		return ""
	}
	return s.token
}

// forget ends the session if this is its token.
func (s *cookieSession) forget(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == token {
		s.open, s.token = false, ""
	}
}

// join waits for the login that is under way, or starts it. It is called with the lock held and releases it.
func (s *cookieSession) join(ctx context.Context) (token string, login uint64, err error) {
	f := s.flight
	if f == nil {
		f = &loginFlight{done: make(chan struct{})}
		var flying context.Context
		flying, f.cancel = context.WithCancel(s.life)
		s.flight = f
		s.running.Go(func() { s.run(flying, f) })
	}
	f.waiters++
	s.mu.Unlock()

	select {
	case <-f.done:
		return f.token, f.logins, f.err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.waiters--
	if f.waiters == 0 {
		f.cancel()
	}
	// A login that took too long for one may be stuck: those who come later begin another.
	if s.flight == f && (f.waiters == 0 || errors.Is(ctx.Err(), context.DeadlineExceeded)) {
		s.flight = nil
	}
	return "", 0, ctx.Err()
}

func (s *cookieSession) run(ctx context.Context, f *loginFlight) {
	defer f.cancel()
	token, err := s.login(ctx)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight == f {
		s.flight = nil
	}
	switch {
	case err == nil:
		s.open, s.token, s.refused = true, token, nil
		s.logins++
	case errors.Is(err, ErrAuth) && !s.open: // or a later login has succeeded
		s.refused = err
		s.logins++
	}
	f.token, f.logins, f.err = token, s.logins, err
	close(f.done)
}
