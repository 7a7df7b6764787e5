package errkit

import "time"

// KindOf returns what sort of trouble err is, for metrics, routing and retries: the kinds of the outermost
// typed error that has any, the union over the members of joined errors, and what [Classify] says of errors
// that are not of this house. It is 0 for nil.
//
// Where [errors.Is] asks whether a kind is anywhere in the chain, KindOf asks for the judgement of the layer
// that knew most: a reconnect that was given up because of a timeout is Connection|Exhausted.
func KindOf(err error) Kind {
	var kinds Kind
	var branches []error // members of joined errors still to be judged
	for range maxLayers {
		k, members := branchKind(err)
		kinds |= k
		branches = append(branches, members...)
		if len(branches) == 0 {
			break
		}
		err, branches = branches[len(branches)-1], branches[:len(branches)-1]
	}
	return kinds
}

// branchKind judges the single chain that begins at err. It returns the members instead if the chain ends in
// joined errors before any layer had a kind.
func branchKind(err error) (Kind, []error) {
	top := err
	for range maxLayers {
		if err == nil {
			break
		}
		if k, ok := ownKinds(err); ok && k != 0 {
			return k, nil
		}
		next, members := unwrap(err)
		if members != nil {
			return 0, members
		}
		err = next
	}
	return Classify(top), nil
}

// ownKinds returns the kinds of err alone if it is an error of this house.
func ownKinds(err error) (_ Kind, ok bool) {
	switch e := err.(type) {
	case Error:
		return e.ErrorInfo().Kinds(), true
	case Kind:
		return e, true
	case *Class:
		return e.kind, true
	case interface{ Kinds() Kind }: // an error rebuilt from a report, or one with its text redacted
		return e.Kinds(), true
	}
	return 0, false
}

// CodeOf returns the code of the outermost class of err, or "" if err has none.
func CodeOf(err error) string {
	for e := range Walk(err) {
		if code := ownCode(e); code != "" {
			return code
		}
	}
	return ""
}

func ownCode(err error) string {
	switch e := err.(type) {
	case *Class:
		return e.code
	case interface{ classCode() string }:
		return e.classCode()
	}
	if e, ok := errorOf(err); ok && e.ErrorInfo().Class != nil {
		return e.ErrorInfo().Class.code
	}
	return ""
}

// errorOf returns err as a typed error, also when it only offers one by its As method, as an error with its
// text redacted does.
func errorOf(err error) (Error, bool) {
	if e, ok := err.(Error); ok {
		return e, true
	}
	if x, ok := err.(interface{ As(any) bool }); ok {
		var e Error
		return e, x.As(&e) && e != nil
	}
	return nil, false
}

// Transient reports whether the same call may succeed later. It does not say that repeating is harmless: a
// power button that was pressed when the answer got lost stays pressed. A call with effects is repeated safely
// only if errors.Is(err, [NotSent]) also holds.
//
// The outermost error with a method Transient() bool decides. Joined errors are transient if all of them are.
// Otherwise the kinds decide: see [KindOf].
func Transient(err error) bool {
	judged := false // a layer had kinds
	e := err
	for range maxLayers {
		if e == nil {
			break
		}
		if x, ok := e.(interface{ Transient() bool }); ok {
			return x.Transient()
		}
		k, _ := ownKinds(e)
		judged = judged || k != 0
		next, members := unwrap(e)
		if members != nil && !judged {
			return allTransient(members)
		}
		e = next
	}
	return KindOf(err).transient()
}

func allTransient(members []error) bool {
	some := false
	for _, m := range members {
		if m == nil {
			continue
		}
		if !Transient(m) {
			return false
		}
		some = true
	}
	return some
}

const (
	lasting = Canceled | Closed | NotReady | Auth | Denied | Invalid | NotFound | Conflict | Protocol | TooLarge |
		Unsupported | Exhausted
	passing = Timeout | Connection | Disconnected | Busy | RateLimited | Unavailable | Full
)

func (k Kind) transient() bool { return k&lasting == 0 && k&passing != 0 }

// RetryAfter returns how long the peer asked to wait: the first positive Info.RetryAfter of the chain.
func RetryAfter(err error) (time.Duration, bool) {
	for e := range Walk(err) {
		if x, ok := errorOf(e); ok && x.ErrorInfo().RetryAfter > 0 {
			return x.ErrorInfo().RetryAfter, true
		}
	}
	return 0, false
}
