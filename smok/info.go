package smok

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/fieldlink-go/fieldlink/smok/internal/api"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/store"
)

// DeviceInfo is what the hub says of the device. Only DeviceID is always there.
type DeviceInfo = api.DeviceInfo

// CultureContext is what the people around a device are used to.
type CultureContext = api.CultureContext

// Info asks the hub for what it says of the device, and keeps it. With the network off the error is of class
// [ErrSyncDisabled]; see [Device.KnownInfo].
func (d *Device) Info(ctx context.Context) (*DeviceInfo, error) {
	const op = "info"
	if err := d.allow(op, false); err != nil {
		return nil, err
	}
	if !d.online() {
		return nil, smokerr.ErrSyncDisabled.Wrap(op, "", nil)
	}
	return d.info.fetch(ctx)
}

// KnownInfo returns what the hub said of the device last, be it before a restart, without asking it. It is false if the
// hub was never asked.
func (d *Device) KnownInfo() (DeviceInfo, bool) {
	d.info.mu.Lock()
	defer d.info.mu.Unlock()
	if d.info.known == nil {
		return DeviceInfo{}, false
	}
	return *d.info.known, true
}

// Timezone returns the time zone of the device, as the hub said last. It is UTC and false until the hub has said one that
// the program knows; a program on a system without a time zone database imports time/tzdata.
func (d *Device) Timezone() (*time.Location, bool) { return d.info.timezone() }

// LocalTime returns the time of the device's clock in its time zone, or in UTC if that is not known.
func (d *Device) LocalTime() time.Time { return d.info.local() }

// Where the device info is stored.
const (
	infoName = "info"
	infoKey  = "device"
)

// info is the area that knows what the hub says of the device itself.
type info struct {
	bare
	*host
	task *task

	mu    sync.Mutex
	known *DeviceInfo // nil before the first one; not changed, but replaced
	zone  *time.Location
}

func newInfo(h *host) *info {
	i := &info{host: h}
	i.task = &task{name: infoName, every: h.opts.Intervals.Info, run: func(ctx context.Context) error {
		_, err := i.fetch(ctx)
		return err
	}}
	return i
}

func (i *info) name() string   { return infoName }
func (i *info) tasks() []*task { return []*task{i.task} }

func (i *info) load() error {
	raw, err := i.store.Keyed.Get(infoName, infoKey)
	if err != nil {
		return ignoreMissing(err)
	}
	known := new(DeviceInfo)
	if err := json.Unmarshal(raw, known); err != nil {
		i.report(infoName, smokerr.Corrupt("info.load", infoName, err))
		return nil
	}
	i.take(known)
	return nil
}

// fetch asks the hub and stores its answer.
func (i *info) fetch(ctx context.Context) (*DeviceInfo, error) {
	known, err := i.api.DeviceInfo(ctx)
	if err != nil {
		return nil, err
	}
	i.take(known)
	raw, err := json.Marshal(known)
	if err != nil {
		return nil, smokerr.Store("info.fetch", infoName, err)
	}
	if err := i.store.Keyed.Apply(store.Change{Area: infoName, Key: infoKey, Value: raw}); err != nil {
		return nil, err
	}
	own := *known
	return &own, nil
}

// take makes it what is known. A time zone that the program does not know is reported once.
func (i *info) take(known *DeviceInfo) {
	i.mu.Lock()
	news := i.known == nil || i.known.Culture.Timezone != known.Culture.Timezone
	i.known = known
	name := known.Culture.Timezone
	var err error
	if news {
		i.zone = nil
		if name != "" && name != "Local" { // the zone of the machine is not what the hub speaks of
			i.zone, err = time.LoadLocation(name)
		}
	}
	i.mu.Unlock()
	if err != nil {
		i.report(infoName, smokerr.BadEntry("info.timezone", "time zone", 0, "", err))
	}
}

func (i *info) timezone() (*time.Location, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.zone == nil {
		return time.UTC, false
	}
	return i.zone, true
}

func (i *info) local() time.Time {
	zone, _ := i.timezone()
	return i.clock.now().In(zone)
}
