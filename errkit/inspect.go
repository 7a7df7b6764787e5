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
	var w walker
	for err != nil {
		k, own := ownKinds(err)
		if !own {
			k = w.classify(err)
		}
		kinds |= k
		if own && k != 0 {
			err = w.aside()
		} else {
			err = w.below(err)
		}
	}
	return kinds
}

// ownKinds returns the kinds of err alone if it is an error of this house: a typed error, a Kind, a Class, or one
// that stands for an error that cannot be seen, as a [Remote] does, and answers with the methods Kinds,
// ClassCode, Transient and RetryAfter.
func ownKinds(err error) (_ Kind, ok bool) {
	switch e := err.(type) {
	case Error:
		return e.ErrorInfo().Kinds(), true
	case Kind:
		return e, true
	case *Class:
		return e.kind, true
	case interface{ Kinds() Kind }:
		return e.Kinds(), true
	}
	return 0, false
}

// CodeOf returns the code of the outermost class of err, or "" if err has none.
func CodeOf(err error) string {
	var w walker
	for ; err != nil; err = w.below(err) {
		if code := ownCode(err); code != "" {
			return code
		}
	}
	return ""
}

func ownCode(err error) string {
	switch e := err.(type) {
	case Error:
		if c := e.ErrorInfo().Class; c != nil {
			return c.code
		}
	case *Class:
		return e.code
	case interface{ ClassCode() string }:
		return e.ClassCode()
	}
	return ""
}

// Transient reports whether the same call may succeed later. It does not say that repeating is harmless: a
// power button that was pressed when the answer got lost stays pressed. A call with effects is repeated safely
// only if errors.Is(err, [NotSent]) also holds, of joined errors for each.
//
// The outermost layer that has a judgement decides: by its method Transient() bool, or by its kinds. Joined
// errors are transient if all of them are. Errors that are not of this house are judged by what [Classify]
// says of them.
func Transient(err error) bool {
	var w walker
	var foreign Kind // kinds of the layers of the present branch, none of them of this house
	some := false    // a branch was transient
	for err != nil {
		verdict, judged := ownVerdict(err)
		if !judged {
			if _, own := ownKinds(err); !own {
				foreign |= w.classify(err)
			}
			if members, cause := unwrap(err); cause != nil || members != nil {
				if members != nil {
					foreign = 0 // the members speak for themselves
				}
				err = w.below(err)
				continue
			}
			verdict = foreign.transient()
		}
		if !verdict {
			return false
		}
		some, foreign = true, 0
		err = w.aside()
	}
	return some
}

// ownVerdict returns what err alone says about trying again, if it says anything.
func ownVerdict(err error) (transient, judged bool) {
	if x, ok := err.(interface{ Transient() bool }); ok {
		return x.Transient(), true
	}
	k, ok := ownKinds(err)
	return k.transient(), ok && k != 0
}

const (
	lasting = Canceled | Closed | NotReady | Auth | Denied | Invalid | NotFound | Conflict | Protocol | TooLarge |
		Unsupported | Exhausted
	passing = Timeout | Connection | Disconnected | Busy | RateLimited | Unavailable | Full
)

func (k Kind) transient() bool { return k&lasting == 0 && k&passing != 0 }

// RetryAfter returns how long the peer asked to wait: the first positive Info.RetryAfter of the chain.
func RetryAfter(err error) (time.Duration, bool) {
	var w walker
	for ; err != nil; err = w.below(err) {
		if d := ownRetryAfter(err); d > 0 {
			return d, true
		}
	}
	return 0, false
}

func ownRetryAfter(err error) time.Duration {
	if r, ok := err.(interface{ RetryAfter() time.Duration }); ok {
		return r.RetryAfter()
	}
	if e, ok := err.(Error); ok {
		return e.ErrorInfo().RetryAfter
	}
	return 0
}
