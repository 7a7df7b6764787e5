//go:build !js

package wsclient

import (
	"strconv"
	"time"

	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

// Order says in which order several addresses are tried.
type Order int

const (
	// Ordered stays with the address that worked last and goes on from there in the order of the list. See
	// [EndpointOptions].FailbackAfter.
	Ordered Order = iota
	// RoundRobin takes the next address of the list for each connection.
	RoundRobin
	// Random shuffles the list for each connection.
	Random
)

// String returns "ordered", "round robin" or "random", and the number of an order that does not exist.
func (o Order) String() string {
	switch o {
	case Ordered:
		return "ordered"
	case RoundRobin:
		return "round robin"
	case Random:
		return "random"
	}
	return "order " + strconv.Itoa(int(o))
}

// EndpointOptions name further addresses of the peer. The zero value has none.
//
// All addresses are tried one after the other without a delay in between; the delay of [ReconnectOptions] comes when
// all of them have failed. An address whose peer asked to wait is left out until its time.
type EndpointOptions struct {
	// URLs are tried besides the one given to New, which is the first.
	URLs []string

	// Order is Ordered by default.
	Order Order

	// FailbackAfter is how long after its failure the first address of an Ordered list is tried again, whatever works
	// meanwhile: a connection to another address is given up for that, with ReasonScheduled. If the first address still
	// does not work, the other one is dialled again at once. Zero means that no connection is given up.
	FailbackAfter time.Duration
}

// check returns a *ConfigError for what cannot be used, except for the addresses.
func (o *EndpointOptions) check() error {
	switch {
	case o.Order < Ordered || o.Order > Random:
		return wserr.Config(opNew, "Endpoints.Order", "unknown order")
	case o.FailbackAfter < 0:
		return wserr.Config(opNew, "Endpoints.FailbackAfter", "negative")
	}
	return nil
}
