package smoktest

import "slices"

// Info is what the hub tells a device about itself.
type Info struct {
	VerboseName string
	Facets      []string
	Timezone    string // of the IANA database
	Units       string // "metric" or "imperial"
	Language    string // ISO 639-1
	Slaves      []Slave
}

// Slave is a slave device in an [Info].
type Slave struct {
	ID                 string
	Master             string // device id of the master controller
	Configuration      string
	ResponsibleService string
}

func (i Info) clone() Info {
	i.Facets, i.Slaves = slices.Clone(i.Facets), slices.Clone(i.Slaves)
	return i
}

// SetInfo replaces the device info. Until then a device is called by its id, in UTC, metric and English, with no slaves.
func (d *Device) SetInfo(info Info) { d.change(func(s *device) { s.info = info.clone() }) }

// Info returns the device info.
func (d *Device) Info() Info { return inspect(d, func(s *device) Info { return s.info.clone() }) }

func getInfo(c *call) (any, error) {
	info := c.device.info
	slaves := make([]any, 0, len(info.Slaves))
	for _, s := range info.Slaves {
		slaves = append(slaves, map[string]any{
			"device_id": s.ID, "master_controller": s.Master, "configuration": s.Configuration,
			"responsible_service": s.ResponsibleService,
		})
	}
	return map[string]any{
		"device_id": c.req.Device, "verbose_name": info.VerboseName, "facets": append([]string{}, info.Facets...),
		"culture_context": map[string]any{"timezone": info.Timezone, "units": info.Units, "language": info.Language},
		"slave_devices":   slaves,
	}, nil
}
