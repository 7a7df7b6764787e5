//go:build !js

package wsclient

import (
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// giveUp returns the error that ends the search for a connection, whose last failure is err: that of an attempt or, if
// none was made since, the loss itself. Terminal tells that it is not the number of attempts that ends it.
func (p *policy) giveUp(err error, terminal bool) error {
	e := p.pool.list[p.pool.current]
	if p.initial {
		return connectError(err, e.target, p.pool.current, p.dials, time.Since(p.began))
	}
	return &ReconnectError{
		Info:   p.reconnectInfo(ErrReconnect, err),
		Outage: p.outage, Terminal: terminal, Cause: p.cause,
	}
}

// disabled returns the error that ends the manager's efforts after a loss when there are to be none.
func (p *policy) disabled() error {
	return &ReconnectError{
		Info: p.reconnectInfo(ErrReconnectDisabled, p.lastErr), Outage: p.outage, Disabled: true,
	}
}

func (p *policy) reconnectInfo(class *errkit.Class, err error) errkit.Info {
	return errkit.Info{
		Class: class, Op: opConnect, Target: p.pool.list[p.pool.current].target, Attempts: p.dials,
		Kind: errkit.TransportKind(err) &^ errkit.NotSent, Err: errkit.CleanCause(err),
	}
}

// connectError returns the error of a search for a first connection, whose last attempt failed with err: the error of
// that attempt, with the number of attempts.
func connectError(err error, target string, endpoint, attempts int, elapsed time.Duration) error {
	switch e := err.(type) {
	case *TimeoutError:
		c := *e
		c.Attempts = attempts
		return &c
	case *HandshakeError:
		c := *e
		c.Attempts, c.Endpoint, c.Elapsed = attempts, endpoint, elapsed
		return &c
	case *ConnectionError:
		c := *e
		c.Attempts, c.Endpoint, c.Elapsed = attempts, endpoint, elapsed
		return &c
	}
	return &ConnectionError{
		Info: errkit.Info{
			Class: ErrConnection, Op: opConnect, Target: target, Attempts: attempts,
			Kind: errkit.TransportKind(err), Err: errkit.CleanCause(err),
		},
		URL: target, Endpoint: endpoint, Elapsed: elapsed,
	}
}

// asViolation returns err as a *ProtocolError.
func asViolation(err error, target string) error {
	if _, ok := errors.AsType[*ProtocolError](err); ok {
		return err
	}
	return &ProtocolError{
		Info: errkit.Info{
			Class: ErrProtocol, Op: opConnect, Target: target,
			Kind: errkit.TransportKind(err), Err: errkit.CleanCause(err),
		},
		ProtocolError: "the peer does not speak the protocol",
	}
}

// What an error's Op says.
const (
	opNew     = "new"
	opConnect = "connect"
)
