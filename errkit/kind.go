package errkit

import (
	"math/bits"
	"net"
	"os"
	"strings"
)

// Kind is a set of failure kinds: what sort of trouble it was, in words that all modules share.
// As a target of [errors.Is] it asks whether one error of the chain has all of its bits.
type Kind uint32

// The kinds.
const (
	Canceled     Kind = 1 << iota // the caller's context was canceled
	Timeout                       // a deadline or a configured limit passed
	Connection                    // no link: DNS, dial, TLS or upgrade failed
	Disconnected                  // an established link ended, by the peer or the network
	Closed                        // this handle was closed by its owner
	NotReady                      // used before connect, attach or first read
	Auth                          // credentials missing, invalid or expired
	Denied                        // known identity, not allowed; or refused by policy
	Invalid                       // argument, configuration or data of the caller is wrong
	NotFound                      // no such thing
	Conflict                      // the state forbids it: exists already, already connected
	Busy                          // the peer is doing something else
	RateLimited                   // too many requests
	Unavailable                   // the peer answers but cannot serve now
	Full                          // a bounded queue, buffer or id space is full
	Protocol                      // the peer sent something malformed or unexpected
	TooLarge                      // over a size limit
	Unsupported                   // feature absent or switched off
	Internal                      // the peer failed, or a bug
	Exhausted                     // retries used up: somebody already tried hard
	NotSent                       // certain: the request did not reach the peer
)

var kindNames = [...]string{
	"canceled", "timeout", "connection", "disconnected", "closed", "notready", "auth", "denied", "invalid",
	"notfound", "conflict", "busy", "ratelimited", "unavailable", "full", "protocol", "toolarge", "unsupported",
	"internal", "exhausted", "notsent",
}

const allKinds = Kind(1)<<len(kindNames) - 1

// Error returns the names of the kinds joined by "|", or "unknown" if there are none.
func (k Kind) Error() string {
	k &= allKinds
	switch bits.OnesCount32(uint32(k)) {
	case 0:
		return "unknown"
	case 1:
		return kindNames[bits.TrailingZeros32(uint32(k))]
	}
	return strings.Join(k.Names(), "|")
}

// String returns the same as [Kind.Error].
func (k Kind) String() string { return k.Error() }

// Has reports whether k has all kinds of o. No set has the empty one.
func (k Kind) Has(o Kind) bool { return o != 0 && k&o == o }

// Is makes a Kind usable as the cause of an error: it matches a target Kind whose bits it has, and the standard
// errors that stand for its kinds (see [Info.Is]).
func (k Kind) Is(target error) bool {
	if t, ok := target.(Kind); ok {
		return k.Has(t)
	}
	return k.isStandard(target)
}

// isStandard reports whether target is the standard library's error for one of the kinds.
// A timeout never matches context.DeadlineExceeded: that one belongs to the caller's own context.
func (k Kind) isStandard(target error) bool {
	switch {
	case k&Timeout != 0 && target == os.ErrDeadlineExceeded:
		return true
	case k&Closed != 0 && target == net.ErrClosed:
		return true
	}
	return false
}

// Names returns the names of the kinds, in the order of the constants; nil if there are none.
func (k Kind) Names() []string {
	var names []string
	for i, name := range kindNames {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// KindFromNames returns the kinds of the given names. Names that it does not know are ignored, so that reports
// of newer programs can be read.
func KindFromNames(names ...string) Kind {
	var k Kind
	for _, name := range names {
		for i, known := range kindNames {
			if name == known {
				k |= 1 << i
			}
		}
	}
	return k
}
