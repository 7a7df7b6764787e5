// Package retry is the one backoff and the one retry loop of all Fieldlink modules.
//
// [Do] repeats a call while its error says that the same call may succeed later:
//
//	err := retry.Do(ctx, &retry.Policy{Budget: budget}, func(ctx context.Context) error {
//		return device.Refresh(ctx)
//	})
//
// A call with effects that must not happen twice sets NotSentOnly and is repeated only after errors which say
// for certain that nothing reached the peer.
//
// A [Budget] belongs to a destination and is shared by all calls to it. It pays for their retries, so that an
// outage does not multiply the load by the number of attempts.
//
// [Backoff] gives the delays: exponential, with jitter, between a floor and a cap. Programs that keep a link up
// use its [Sequence], whose delays start again only after the link has been up for a while. [Wait] sleeps and
// honours a context.
//
// # Errors
//
// An error that no further attempt can cure comes back as the call returned it. When Do gives up on a call that it
// would have repeated, the error matches [Err] and [ErrExhausted], and [ErrBudget] if the budget was empty; it
// carries the number of attempts and the error of the last one, which [errors.Is] and [errors.As] find. None of
// them is transient.
package retry
