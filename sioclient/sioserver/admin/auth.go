package admin

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/sioclient"
	"github.com/fieldlink-go/fieldlink/sioclient/sioserver"
)

// authenticate lets a page in that knows name and password, or the id that it got when it did.
func (a *Admin) authenticate(ctx context.Context, s *sioserver.Socket) error {
	if a.closed() {
		return sioclient.Refuse("closed", nil)
	}
	if a.opts.Open {
		return nil
	}
	var auth credentials
	err := json.Unmarshal(s.Handshake().Auth, &auth)
	if err != nil || !a.sessions.known(auth.SessionID) && !a.opts.Authenticate(ctx, auth.Username, auth.Password) {
		return sioclient.Refuse("invalid credentials", nil)
	}
	return nil
}

// credentials are what a page sends.
type credentials struct {
	Username, Password, SessionID string
}

// begin gives a page that came with a password the id that lets it come back without. The page listens only when it is
// connected, so this is not for authenticate.
func (a *Admin) begin(s *sioserver.Socket) error {
	var auth credentials
	if a.opts.Open || json.Unmarshal(s.Handshake().Auth, &auth) == nil && a.sessions.known(auth.SessionID) {
		return nil
	}
	return s.Emit("session", a.sessions.begin(a.opts.SessionTTL))
}

// maxSessions bounds the pages that can come back without a password. The oldest make way.
const maxSessions = 1000

// sessions are the ids that were given to pages.
type sessions struct {
	mu    sync.Mutex
	until map[string]time.Time
	order []string
}

func (s *sessions) begin(ttl time.Duration) string {
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil {
		s.until = make(map[string]time.Time)
	}
	now := time.Now()
	for len(s.order) > 0 && (len(s.order) >= maxSessions || now.After(s.until[s.order[0]])) {
		delete(s.until, s.order[0])
		s.order = s.order[1:]
	}
	s.until[id] = now.Add(ttl)
	s.order = append(s.order, id)
	return id
}

func (s *sessions) known(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.until[id]
	return ok && time.Now().Before(until)
}
