package smok

import (
	"time"

	"github.com/fieldlink-go/fieldlink/ngtt"
)

// Status is a snapshot of a device, for people and for metrics.
type Status struct {
	DeviceID string
	Offline  bool // by [Device.SetOffline]
	Link     Link
	ClockSet bool // whether the wall clock shows a time that can be right
	// ClockSteps counts how often somebody has set the wall clock by more than 2s.
	ClockSteps int64
	Tasks      []TaskStatus // in the order in which they were started; empty before Run
	Sections   SectionStatus
	Pathpoints int // that are registered or were asked for
	Values     ValueStatus
	Logs       LogStats
	Archived   int // pathpoints that the device reads by itself
	Orders     OrderStats
	OrderLink  ngtt.Stats // zero without [Options.NGTT]
	Macros     MacroStats
}

// Link says what is known of the link to the hub.
type Link int

// The states of the link.
const (
	LinkUnknown Link = linkUnknown // nothing was tried yet
	LinkUp      Link = linkUp      // the last exchange succeeded
	LinkDown    Link = linkDown    // the last exchange got no reply
)

// String returns the name of the state in lower case.
func (l Link) String() string {
	switch l {
	case LinkUp:
		return "up"
	case LinkDown:
		return "down"
	}
	return "unknown"
}

// TaskStatus is what one of the loops of a device does.
type TaskStatus struct {
	Name     string
	Running  bool
	Runs     uint64    // that ended
	Failures uint64    // of them since the last success
	Err      error     // of the last run
	Success  time.Time // when the last one that succeeded ended; zero if none has
	Next     time.Time // when the next one is due; zero if one is under way, or none before something happens
}

// SectionStatus is what the executor of orders does.
type SectionStatus struct {
	Queued  int // sections that have not started
	Active  int // sections that have started and not ended
	Running int // orders under way
	Stuck   int // calls of handlers that go on after their time
}

// Status returns a snapshot.
func (d *Device) Status() Status {
	e := d.exec.Stats()
	s := Status{
		DeviceID: d.id, Offline: d.offline.Load(), Link: Link(d.link.Load()),
		Sections: SectionStatus{Queued: e.Queued, Active: e.Active, Running: e.Running, Stuck: e.Stuck},
	}
	d.mu.Lock()
	group := d.group
	d.mu.Unlock()
	if group != nil {
		for _, t := range group.Status() {
			s.Tasks = append(s.Tasks, TaskStatus{
				Name: t.Area, Running: t.Running, Runs: t.Runs, Failures: t.Failures, Err: t.Err, Success: t.Success, Next: t.Next,
			})
		}
	}
	for _, a := range d.areas {
		a.status(&s)
	}
	return s
}
