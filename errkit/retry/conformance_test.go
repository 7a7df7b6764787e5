package retry

import (
	"errors"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
)

func TestErrorTree(t *testing.T) {
	boom := errors.New("boom")
	exhausted := func(cause error) *ExhaustedError {
		e := gaveUp(ErrExhausted, cause)
		return &e
	}
	spent := exhausted(boom)
	spent.Attempts = 4
	budget := func(cause error) error {
		return &BudgetError{ExhaustedError: gaveUp(ErrBudget, cause), Tokens: 2, Cost: 5}
	}
	errkittest.Run(t, errkittest.Module{
		Base:    Err,
		Classes: []*errkit.Class{Err, ErrExhausted, ErrBudget},
		Samples: []errkittest.Sample{
			{
				Name:  "attempts",
				Err:   spent,
				Class: ErrExhausted,
				Kinds: errkit.Exhausted,
				Types: []any{(*ExhaustedError)(nil)},
				Text:  "retry: gave up after 4 attempts: boom",
				Build: func(_ string, cause error) error { return exhausted(cause) },
			},
			{
				Name:  "budget",
				Err:   budget(boom),
				Class: ErrBudget,
				Kinds: errkit.Exhausted,
				Types: []any{(*BudgetError)(nil), (*ExhaustedError)(nil)},
				Text:  "retry: no budget: 2 tokens left, a retry costs 5: boom",
				Build: func(_ string, cause error) error { return budget(cause) },
			},
		},
	})
}
