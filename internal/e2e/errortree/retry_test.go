package errortree_test

import (
	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/errkit/retry"
)

var retryTree = tree{
	pkg:  "errkit/retry",
	base: retry.Err,
	classes: map[string]*errkit.Class{
		"Err": retry.Err, "ErrExhausted": retry.ErrExhausted, "ErrBudget": retry.ErrBudget,
	},
	samples: []errkittest.Sample{
		sample("exhausted", errkit.Exhausted, "retry: op: gave up",
			func(target string, cause error) error {
				return &retry.ExhaustedError{Info: info(retry.ErrExhausted, "op", target, cause)}
			}, (*retry.ExhaustedError)(nil)),
		sample("budget", errkit.Exhausted, "retry: op: no budget: 3 tokens left, a retry costs 5",
			func(target string, cause error) error {
				return &retry.BudgetError{
					ExhaustedError: retry.ExhaustedError{Info: info(retry.ErrBudget, "op", target, cause)},
					Tokens:         3, Cost: 5,
				}
			}, (*retry.BudgetError)(nil), (*retry.ExhaustedError)(nil)),
	},
}
