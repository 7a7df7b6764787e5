// Package smokerr has the errors of module smok, for all of its packages. The root re-exports them.
package smokerr

import "github.com/fieldlink-go/fieldlink/errkit"

// Err is matched by every error of the module.
var Err = errkit.NewClass("smok", "operation failed", 0)
