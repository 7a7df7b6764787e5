package smok

import "github.com/fieldlink-go/fieldlink/smok/internal/smokerr"

// Err is matched by every error of the module.
var Err = smokerr.Err
