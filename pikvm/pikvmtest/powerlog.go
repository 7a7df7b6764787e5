package pikvmtest

import (
	"slices"
	"time"
)

// PowerEventKind names what happened on the ATX lines or to the host.
type PowerEventKind string

// The kinds of power events.
const (
	PowerPressed  PowerEventKind = "power pressed"
	PowerReleased PowerEventKind = "power released"
	ResetPressed  PowerEventKind = "reset pressed"
	ResetReleased PowerEventKind = "reset released"
	ACPIAccepted  PowerEventKind = "acpi accepted" // a short press; the host begins to shut down
	ACPIIgnored   PowerEventKind = "acpi ignored"
	HostOn        PowerEventKind = "host on"
	HostOff       PowerEventKind = "host off"
	HostReset     PowerEventKind = "host reset"
)

// PowerEvent is one entry of the power log.
type PowerEvent struct {
	Time time.Time
	Kind PowerEventKind
}

type powerLog struct{ entries []PowerEvent }

func (l *powerLog) add(kind PowerEventKind) {
	if len(l.entries) == maxRecorded {
		l.entries = slices.Delete(l.entries, 0, maxRecorded/4)
	}
	l.entries = append(l.entries, PowerEvent{time.Now(), kind})
}

// PowerLog returns what happened on the ATX lines and to the host since the start, oldest first; the last 4096 entries
// are kept at most.
func (s *Server) PowerLog() []PowerEvent {
	s.atx.mu.Lock()
	defer s.atx.mu.Unlock()
	return slices.Clone(s.atx.log.entries)
}
