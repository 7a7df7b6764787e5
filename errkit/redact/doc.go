// Package redact keeps secrets out of error texts, logs and reports.
//
// Two ways go together. [URL], [URLString], [Header] and [Values] hide what stands in a place where secrets stand
// by custom: passwords, query parameters with telling names, credential headers. [Error] and [Excerpt] hide the
// secret itself wherever it stands; a client that holds a password or a token uses them for errors of the
// transport and for texts of the peer. [Secret] is a string that does not print itself.
//
// Hiding errs on the safe side: a harmless value in a place for secrets is hidden too.
package redact

// mask is shown instead of a secret.
const mask = "***"
