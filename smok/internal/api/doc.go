// Package api speaks the REST interface of the SMOK hub: one method of [Client] for each of its 21 endpoints, with values
// of Go on this side and MiniJSON, JSON and raw bytes on the other. It sends every request once and has no policy: when to
// call, what to repeat and what to give up is decided above.
//
// The interface is that of smok-client, the original client in Python; there is no other documentation of it.
package api
