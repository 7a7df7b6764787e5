package budget

import (
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/spool"
)

// losses gathers reports, so that a full log does not give one for each record.
type losses struct {
	tell func(spool.Report)

	mu      sync.Mutex
	pending []spool.Report // at most one of a kind
	due     *time.Timer    // nil if nothing is pending
	closed  bool

	telling sync.Mutex // held while tell runs
}

// add adds to what is reported.
func (l *losses) add(r spool.Report) {
	if l.tell == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.pending {
		if p := &l.pending[i]; p.Kind == r.Kind {
			p.Last, p.Records = r.Last, p.Records+r.Records
			return
		}
	}
	l.pending = append(l.pending, r)
	if l.due == nil && !l.closed {
		l.due = time.AfterFunc(reportEvery, l.flush)
	}
}

// flush reports what is pending.
func (l *losses) flush() {
	l.telling.Lock()
	defer l.telling.Unlock()
	l.mu.Lock()
	list := l.pending
	l.pending, l.due = nil, nil
	l.mu.Unlock()
	for _, r := range list {
		l.tell(r)
	}
}

// close reports what is pending, and waits for a report that is under way.
func (l *losses) close() {
	l.mu.Lock()
	l.closed = true
	if l.due != nil {
		l.due.Stop()
	}
	l.mu.Unlock()
	l.flush()
}
