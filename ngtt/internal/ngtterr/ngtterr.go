// Package ngtterr holds the classes of errors of the whole module, so that its packages can raise them without
// importing one another. Package ngtt and package minijson give them to the outside.
package ngtterr

import "github.com/fieldlink-go/fieldlink/errkit"

// Err is matched by every error of the module.
var Err = errkit.NewClass("ngtt", "", 0)
