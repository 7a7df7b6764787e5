package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// DeviceInfo is what the hub says of the device. Only DeviceID is always there.
type DeviceInfo struct {
	DeviceID    string
	VerboseName string         // for people
	Facets      []string       // names of the interfaces that the device has
	Culture     CultureContext // of the place where the device is
	Slaves      []SlaveDevice
}

// CultureContext is what the people around a device are used to.
type CultureContext struct {
	Timezone string // name in the IANA time zone database, such as "Europe/Warsaw"
	Units    string // "metric" or "imperial"
	Language string // ISO 639-1, such as "pl"
}

// SlaveDevice is a device behind this one.
type SlaveDevice struct {
	DeviceID           string
	MasterController   string // id of the device that it is behind
	Configuration      string
	ResponsibleService string
}

// DeviceInfo returns what the hub says of the device.
func (c *Client) DeviceInfo(ctx context.Context) (*DeviceInfo, error) {
	k := &call{op: "hub.DeviceInfo", method: http.MethodGet, path: "/v1/device"}
	a, err := c.fetch(ctx, k)
	if err != nil {
		return nil, err
	}
	doc, err := a.document()
	if err == nil && doc == nil {
		err = errors.New("empty")
	}
	var info *DeviceInfo
	if err == nil {
		info, err = c.deviceInfo(k.op, doc)
	}
	if err != nil {
		return nil, c.badAnswer(k, a, err)
	}
	return info, nil
}

func (c *Client) deviceInfo(op string, doc []byte) (*DeviceInfo, error) {
	var d struct {
		DeviceID    text              `json:"device_id"`
		VerboseName text              `json:"verbose_name"`
		Facets      []json.RawMessage `json:"facets"`
		Culture     struct {
			Timezone text `json:"timezone"`
			Units    text `json:"units"`
			Language text `json:"language"`
		} `json:"culture_context"`
		Slaves json.RawMessage `json:"slave_devices"`
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, err
	}
	if d.DeviceID == "" {
		return nil, missing("device_id")
	}
	info := &DeviceInfo{
		DeviceID: string(d.DeviceID), VerboseName: string(d.VerboseName),
		Culture: CultureContext{
			Timezone: string(d.Culture.Timezone), Units: string(d.Culture.Units), Language: string(d.Culture.Language),
		},
	}
	facets := reporter{client: c, op: op, what: "facet"}
	defer facets.end()
	for i, entry := range d.Facets {
		var facet text
		if err := json.Unmarshal(entry, &facet); err != nil {
			facets.bad(i, err)
			continue
		}
		info.Facets = append(info.Facets, string(facet))
	}
	err := c.entries(op, "slave device", d.Slaves, func(entry json.RawMessage) error {
		slave, err := decodeSlaveDevice(entry)
		if err == nil {
			info.Slaves = append(info.Slaves, slave)
		}
		return err
	})
	return info, err
}

func decodeSlaveDevice(entry json.RawMessage) (SlaveDevice, error) {
	var d struct {
		DeviceID           text `json:"device_id"`
		MasterController   text `json:"master_controller"`
		Configuration      text `json:"configuration"`
		ResponsibleService text `json:"responsible_service"`
	}
	if err := json.Unmarshal(entry, &d); err != nil {
		return SlaveDevice{}, err
	}
	if d.DeviceID == "" {
		return SlaveDevice{}, missing("device_id")
	}
	return SlaveDevice{
		DeviceID: string(d.DeviceID), MasterController: string(d.MasterController),
		Configuration: string(d.Configuration), ResponsibleService: string(d.ResponsibleService),
	}, nil
}
