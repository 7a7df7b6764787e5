package pikvmtest

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// journalPoll is how often the device looks for new records when a client follows.
const journalPoll = time.Second

var errLogDisabled = &apiError{http.StatusBadRequest, "LogReaderDisabledError", "LogReader is disabled"}

// journal is the log of the device.
type journal struct {
	server *Server

	mu      sync.Mutex
	records []record
	dropped int // from the begin
}

type record struct {
	at   time.Time
	text string
}

func newJournal(s *Server) *journal {
	j := &journal{server: s}
	j.add("kvmd", "kvmd.apps.kvmd.server            INFO --- Listening UNIX socket '/run/kvmd/kvmd.sock' ...")
	return j
}

func (j *journal) announce() {}

func (j *journal) routes(k *router) { k.add(http.MethodGet, "/log", j.read) }

func (j *journal) add(unit, message string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.records) == maxRecorded {
		j.records = slices.Delete(j.records, 0, maxRecorded/4)
		j.dropped += maxRecorded / 4
	}
	now := time.Now()
	text := "[" + now.Format(time.DateTime) + " " + unit + ".service] --- " + message + "\r\n"
	j.records = append(j.records, record{now, text})
}

// since returns the records from one on, and the next one to ask for.
func (j *journal) since(next int, oldest time.Time) (texts []string, after int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.records[min(max(next-j.dropped, 0), len(j.records)):] {
		if !r.at.Before(oldest) {
			texts = append(texts, r.text)
		}
	}
	return texts, j.dropped + len(j.records)
}

// read sends the journal, and with follow what comes.
func (j *journal) read(c *call) error {
	if j.server.opts.LogDisabled {
		return errLogDisabled
	}
	seek, err := c.arg("seek").or("0").int("log seek", 0)
	if err != nil {
		return err
	}
	follow, err := c.arg("follow").or("0").bool()
	if err != nil {
		return err
	}
	var oldest time.Time
	if seek > 0 {
		oldest = time.Now().Add(-time.Duration(seek) * time.Second)
	}
	c.w.Header().Set("Content-Type", "text/plain")
	c.w.WriteHeader(http.StatusOK)
	for next := 0; ; {
		var texts []string
		texts, next = j.since(next, oldest)
		for _, text := range texts {
			if _, err := io.WriteString(c.w, text); err != nil {
				panic(http.ErrAbortHandler) // the client is gone
			}
		}
		_ = http.NewResponseController(c.w).Flush()
		if !follow {
			return nil
		}
		if j.server.sleep(c.r.Context(), journalPoll) != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// Log adds a record to the journal of the device, as written by a unit such as "kvmd".
func (s *Server) Log(unit, message string) { s.journal.add(unit, message) }
