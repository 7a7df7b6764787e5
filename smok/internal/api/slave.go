package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
)

// SlaveState is what the hub knows of a slave device.
type SlaveState struct {
	LinkState       *LinkState // nil if there is none, or none that can be read
	Instrumentation string     // free text
}

// LinkState says whether a slave device can be reached.
type LinkState struct {
	Status        bool    // it can
	FailedDevices []int64 // numbers of the devices behind it that cannot
}

// Slave returns what the hub knows of a slave device. A link state that cannot be read is reported as a bad "link state".
func (c *Client) Slave(ctx context.Context, id string) (SlaveState, error) {
	k, err := slaveCall("hub.Slave", http.MethodGet, id)
	if err != nil {
		return SlaveState{}, err
	}
	var d struct {
		LinkState       text `json:"linkstate"`
		Instrumentation text `json:"instrumentation"`
	}
	if err := c.get(ctx, k, &d); err != nil {
		return SlaveState{}, notFound(err, "slave device", id)
	}
	state := SlaveState{Instrumentation: string(d.Instrumentation)}
	if d.LinkState == "" || d.LinkState == "{}" {
		return state, nil
	}
	if state.LinkState, err = decodeLinkState([]byte(d.LinkState)); err != nil {
		c.cfg.OnBadEntry(smokerr.BadEntry(k.op, "link state", 0, "", err))
	}
	return state, nil
}

// PatchSlaveLinkState sets the link state of a slave device.
func (c *Client) PatchSlaveLinkState(ctx context.Context, id string, state LinkState) error {
	doc := struct {
		Status        bool    `json:"status"`
		FailedDevices []int64 `json:"failed_devices,omitempty"`
	}{state.Status, state.FailedDevices}
	linkState, err := json.Marshal(doc)
	if err != nil {
		return smokerr.InvalidArgument("hub.PatchSlaveLinkState", "state", "cannot be encoded", err)
	}
	return c.patchSlave(ctx, "hub.PatchSlaveLinkState", id, "linkstate", string(linkState))
}

// PatchSlaveInstrumentation sets the instrumentation of a slave device.
func (c *Client) PatchSlaveInstrumentation(ctx context.Context, id, instrumentation string) error {
	return c.patchSlave(ctx, "hub.PatchSlaveInstrumentation", id, "instrumentation", instrumentation)
}

func (c *Client) patchSlave(ctx context.Context, op, id, member, value string) error {
	k, err := slaveCall(op, http.MethodPatch, id)
	if err != nil {
		return err
	}
	var e encoder
	e.object(1)
	e.member(member, value)
	if e.err != nil {
		return smokerr.InvalidArgument(op, member, "cannot be encoded", e.err)
	}
	k.body = e.out
	return c.send(ctx, k)
}

func slaveCall(op, method, id string) (*call, error) {
	escaped, err := segment(op, "id", id)
	if err != nil {
		return nil, err
	}
	return &call{op: op, method: method, path: "/v1/device/instrumentation/" + escaped}, nil
}

func decodeLinkState(doc []byte) (*LinkState, error) {
	if err := checkDepth(doc); err != nil {
		return nil, err
	}
	var d struct {
		Status        *truth    `json:"status"`
		FailedDevices []integer `json:"failed_devices"`
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, fmt.Errorf("not the JSON of a link state: %w", err)
	}
	if d.Status == nil {
		return nil, missing("status")
	}
	state := &LinkState{Status: bool(*d.Status)}
	for _, number := range d.FailedDevices {
		state.FailedDevices = append(state.FailedDevices, int64(number))
	}
	return state, nil
}
