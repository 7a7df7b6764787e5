package smok

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/smok/internal/executor"
	"github.com/fieldlink-go/fieldlink/smok/internal/order"
	"github.com/fieldlink-go/fieldlink/smok/internal/smokerr"
	"github.com/fieldlink-go/fieldlink/smok/internal/value"
)

// handlerTimeout limits a call of a handler.
const handlerTimeout = 30 * time.Second

// target is what orders do to a pathpoint.
type target struct{ p *Pathpoint }

// Read takes a reading, and records it or the failure.
func (t target) Read(ctx context.Context, advise order.Advise) error {
	p := t.p
	defer p.queued.Store(false)
	if p.formula != nil {
		return p.formula.read(ctx, advise)
	}
	does := p.does.Load()
	if does.Read == nil {
		return executor.Skip("the pathpoint cannot be read")
	}
	if age, ok := p.age(); ok && age < does.ReadNoOftenThan {
		return executor.Skip("the last value is younger than ReadNoOftenThan")
	}
	ctx, done, err := does.begin(ctx, p.name)
	if err != nil {
		return err
	}
	defer done()
	var v any
	err = p.points.try("read", func() (err error) {
		v, err = does.Read(ctx, advise)
		return err
	})
	record := context.WithoutCancel(ctx) // what was read is kept, even if it took all the time there was
	if err != nil {
		return p.failed(ctx, record, err)
	}
	if v == nil {
		return nil
	}
	err = p.Set(record, time.Time{}, v)
	switch {
	case err == nil, errors.Is(err, smokerr.ErrStale): // another one came meanwhile
		return nil
	case errors.Is(err, smokerr.ErrType):
		return p.failed(ctx, record, err)
	}
	p.points.report("pathpoints", err) // it could not be stored
	return err
}

// failed records a reading that failed, and returns its error.
func (p *Pathpoint) failed(ctx, record context.Context, err error) error {
	if _, ok := errors.AsType[*smokerr.NotReadError](err); ok {
		err = smokerr.InvalidArgument("read", "error", "a NotReadError is no result of a reading", err)
		p.points.report("pathpoints", err)
		return err
	}
	failure, ok := errors.AsType[*smokerr.OperationFailedError](err)
	if !ok {
		reason := smokerr.ReasonMalformed
		switch ended := ctx.Err(); {
		case errors.Is(ended, context.DeadlineExceeded):
			reason = smokerr.ReasonTimeout
		case ended != nil:
			return smokerr.Canceled("read", p.name, 0, errkit.FromContext(ctx)) // says nothing of the pathpoint
		default:
			p.points.report("pathpoints", err)
			if p.does.Load().ReportOnly {
				return err
			}
		}
		failure = smokerr.OperationFailed("read", p.name, reason, time.Time{}, err)
	}
	reason := cmp.Or(failure.Reason, smokerr.ReasonTimeout)
	if err := p.SetError(record, failure.Time, reason); err != nil && !errors.Is(err, smokerr.ErrStale) {
		p.points.report("pathpoints", err)
	}
	return failure
}

// Write calls the handler.
func (t target) Write(ctx context.Context, v any, advise order.Advise) error {
	p := t.p
	if p.formula != nil {
		return executor.Skip("a computed pathpoint cannot be written")
	}
	does := p.does.Load()
	if does.Write == nil {
		return executor.Skip("the pathpoint cannot be written")
	}
	v, err := p.coerce("write", v)
	if err != nil {
		return err
	}
	ctx, done, err := does.begin(ctx, p.name)
	if err != nil {
		return err
	}
	defer done()
	err = p.points.try("write", func() error { return does.Write(ctx, v, advise) })
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*smokerr.OperationFailedError](err); ok {
		return err
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return smokerr.OperationFailed("write", p.name, smokerr.ReasonTimeout, p.points.clock.now(), err)
	}
	p.points.report("pathpoints", err)
	return err
}

// begin waits for the handler's turn and limits its time.
func (b *behaviour) begin(ctx context.Context, name string) (context.Context, func(), error) {
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, smokerr.Canceled("turn", name, errkit.NotSent, errkit.FromContext(ctx))
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(b.Timeout, handlerTimeout))
	return ctx, func() {
		cancel()
		<-b.turn
	}, nil
}

// coerce returns v as a value of the pathpoint's type.
func (p *Pathpoint) coerce(op string, v any) (any, error) {
	convert := p.typ.Coerce
	if p.does.Load().NoCoerce {
		convert = value.Canonical
	}
	v, err := convert(v)
	if err != nil {
		return nil, smokerr.OperationFailed(op, p.name, smokerr.ReasonType, p.points.clock.now(), err)
	}
	return v, nil
}
