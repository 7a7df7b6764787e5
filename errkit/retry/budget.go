package retry

import (
	"sync/atomic"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// BudgetOptions configures a [Budget]. The zero value is ready to use.
type BudgetOptions struct {
	// Tokens is what the bucket holds at most and in the beginning. Zero means 500, negative means none: no
	// retry is ever paid for.
	Tokens int

	// RetryCost is the price of a retry. Zero means 5, negative means free.
	RetryCost int

	// TimeoutCost is the price of a retry after a failure of kind [errkit.Timeout]: a peer that does not answer
	// is more likely overloaded than one that refuses. Zero means twice the RetryCost, negative means free.
	TimeoutCost int

	// SuccessRefill is what a call brings in that succeeds without a retry. Zero means 1, negative means
	// nothing. A call that succeeds on a retry brings in the price of that retry.
	SuccessRefill int
}

// Budget is a token bucket that pays for the retries of all calls to one destination. Share one between
// everything that calls that destination, so that an outage does not multiply the load: while nothing succeeds,
// the bucket allows 100 retries in all (50 after timeouts), however many calls fail. Successes fill it again; time
// does not, so it needs no goroutine.
//
// All methods may be called from several goroutines and do not allocate, except to report an empty bucket. A nil
// *Budget pays for everything.
type Budget struct {
	size, retry, timeout, refill int64

	tokens atomic.Int64
}

// NewBudget returns a full bucket. Nil options mean the defaults.
func NewBudget(opts *BudgetOptions) *Budget {
	var o BudgetOptions
	if opts != nil {
		o = *opts
	}
	b := &Budget{size: tokens(o.Tokens, 500), retry: tokens(o.RetryCost, 5), refill: tokens(o.SuccessRefill, 1)}
	b.timeout = tokens(o.TimeoutCost, 2*b.retry)
	b.tokens.Store(b.size)
	return b
}

// tokens resolves a number of an options struct: zero is the default and negative is zero.
func tokens(n int, byDefault int64) int64 {
	if n == 0 {
		return byDefault
	}
	return max(int64(n), 0)
}

// Withdraw pays for one retry after a call failed with cause, and returns what it took. If there are not enough
// tokens left, it takes none and returns a *[BudgetError] around cause. [Do] calls it; a loop of one's own that
// calls it has to call [Budget.Deposit] when a call succeeds.
func (b *Budget) Withdraw(cause error) (cost int, err error) {
	cost, left, ok := b.take(cause)
	if !ok {
		return 0, &BudgetError{ExhaustedError: gaveUp(ErrBudget, cause), Tokens: left, Cost: cost}
	}
	return cost, nil
}

// Deposit tells that a call succeeded. It returns the price of the retry that led there, which Withdraw took, to
// the bucket. If it took nothing, since the first attempt succeeded, the bucket gets SuccessRefill.
func (b *Budget) Deposit(paid int) {
	if b == nil {
		return
	}
	if paid <= 0 {
		b.put(b.refill)
		return
	}
	b.put(int64(paid))
}

// Tokens returns what is left in the bucket.
func (b *Budget) Tokens() int {
	if b == nil {
		return 0
	}
	return int(b.tokens.Load())
}

// take takes the price of a retry after cause and returns it with what was left before.
func (b *Budget) take(cause error) (cost, left int, ok bool) {
	if b == nil {
		return 0, 0, true
	}
	price := b.retry
	if errkit.KindOf(cause).Has(errkit.Timeout) {
		price = b.timeout
	}
	for {
		have := b.tokens.Load()
		if have < price {
			return int(price), int(have), false
		}
		if b.tokens.CompareAndSwap(have, have-price) {
			return int(price), int(have), true
		}
	}
}

func (b *Budget) put(n int64) {
	for n > 0 {
		have := b.tokens.Load()
		if b.tokens.CompareAndSwap(have, have+min(n, b.size-have)) {
			return
		}
	}
}
