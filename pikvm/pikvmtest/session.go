package pikvmtest

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"
)

// sessions are the cookie sessions of the device. They live in memory only.
type sessions struct {
	limit  time.Duration // cap of a life; 0 means none
	extend bool          // an open socket keeps its session alive

	mu     sync.Mutex
	tokens map[string]*session
}

type session struct {
	user    string
	expires time.Time // zero means never
	sockets int       // event sockets that were opened with it and are still open
}

// create begins a session that lasts for expire (0: as long as the device allows) and returns its token.
func (ss *sessions) create(user string, expire time.Duration) string {
	if ss.limit > 0 && (expire == 0 || expire > ss.limit) {
		expire = ss.limit
	}
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	token := hex.EncodeToString(raw[:])
	s := &session{user: user}
	if expire > 0 {
		s.expires = time.Now().Add(expire)
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.tokens[token] = s
	return token
}

// user returns whose session a token is. Expired ones are forgotten on the way.
func (ss *sessions) user(token string) (string, bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s, ok := ss.tokens[token]
	if !ok {
		return "", false
	}
	if !s.expires.IsZero() && !time.Now().Before(s.expires) && !(ss.extend && s.sockets > 0) {
		delete(ss.tokens, token)
		return "", false
	}
	return s.user, true
}

// end closes all sessions of the user whose token this is.
func (ss *sessions) end(token string) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s, ok := ss.tokens[token]
	if !ok {
		return
	}
	for other, o := range ss.tokens {
		if o.user == s.user {
			delete(ss.tokens, other)
		}
	}
}

func (ss *sessions) endAll() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	clear(ss.tokens)
}

// attach counts a socket for a session; the returned function takes it off again.
func (ss *sessions) attach(token string) func() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s, ok := ss.tokens[token]
	if !ok {
		return func() {}
	}
	s.sockets++
	return func() {
		ss.mu.Lock()
		defer ss.mu.Unlock()
		s.sockets--
	}
}
