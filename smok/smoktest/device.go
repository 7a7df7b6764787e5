package smoktest

import "github.com/fieldlink-go/fieldlink/ngtt/ngtttest"

// Device is what the hub knows of one device, for tests to look at and to change. It returns copies.
type Device struct {
	hub *Hub
	id  string
}

// Device returns the device of that id. The hub knows it from the moment it is mentioned.
func (h *Hub) Device(id string) *Device { return &Device{h, id} }

// ID is the device id.
func (d *Device) ID() string { return d.id }

// Counts say how much has come from a device. They never go back, whatever the hub has forgotten.
type Counts struct {
	Samples     int // different samples, by pathpoint and time
	Repeated    int // samples that came again with the same value, as after a lost answer
	Conflicting int // samples that came again with another value; the first one stays
	Uploads     int // requests with samples that were taken

	AlarmPosts  int // events in requests that were taken, repetitions included
	Alarms      int // alarms
	Messages    int // requests for a message
	Macros      int // confirmed occurrences of macros
	LogRecords  int
	LogDisorder int // records that are not later than the one before them of the same service
	Writes      int // entries of the sensor write log
	Polls       int // requests for orders

	// FloatTimes counts times that came as floats, where the original client sends them so. As binary32 they are off
	// by up to a minute.
	FloatTimes int

	// Orders is how far the orders of the device came. Taken are those that left over HTTP.
	Orders ngtttest.Counts
}

// device is the state of one device. The hub's mutex guards it.
type device struct {
	counts     Counts
	info       Info
	pathpoints map[string]*Pathpoint
	samples    kept[Sample]
	seen       map[sampleKey]reading // what samples has
	archives   []Archive
	sensors    []Sensor
	writes     kept[SensorWrite]
	messages   kept[Message]
	macros     []Macro
	predicates []Predicate
	alarms     alarms
	metadata   map[string]metadatum
	baobs      map[string]*baob
	slaves     map[string]*SlaveState
	logs       kept[LogRecord]
	lastLog    map[string]int64 // microseconds, by service
}

// device returns the state of a device. It is called with mu held.
func (h *Hub) device(id string) *device {
	d := h.devices[id]
	if d == nil {
		d = &device{
			info:       Info{VerboseName: id, Timezone: "UTC", Units: "metric", Language: "en"},
			pathpoints: make(map[string]*Pathpoint),
			seen:       make(map[sampleKey]reading),
			alarms:     newAlarms(),
			metadata:   make(map[string]metadatum),
			baobs:      make(map[string]*baob),
			slaves:     make(map[string]*SlaveState),
			lastLog:    make(map[string]int64),
		}
		h.devices[id] = d
	}
	return d
}

// Counts returns how much has come from the device.
func (d *Device) Counts() Counts {
	counts := inspect(d, func(s *device) Counts { return s.counts })
	counts.Orders = d.hub.ngtt.Counts(d.id)
	return counts
}

// inspect reads the state of a device.
func inspect[T any](d *Device, read func(*device) T) T {
	d.hub.mu.Lock()
	defer d.hub.mu.Unlock()
	return read(d.hub.device(d.id))
}

// change changes the state of a device.
func (d *Device) change(f func(*device)) {
	defer d.hub.watch.notify()
	d.hub.mu.Lock()
	defer d.hub.mu.Unlock()
	f(d.hub.device(d.id))
}
