// Package smokerr has the errors of module smok, for all of its packages. The root re-exports them.
package smokerr

import "github.com/fieldlink-go/fieldlink/errkit"

// Err is matched by every error of the module. Used bare, with kind Canceled, it reports that the caller's context was
// canceled.
var Err = errkit.NewClass("smok", "operation failed", 0)

// Canceled returns the error of op on target after the caller has canceled its context. The kind says what is known of
// the request, which is errkit.NotSent or 0.
func Canceled(op, target string, kind errkit.Kind, cause error) error {
	return &errkit.Basic{Info: errkit.Info{
		Class: Err, Op: op, Target: target, Kind: kind | errkit.Canceled, Err: errkit.CleanCause(cause),
	}}
}
