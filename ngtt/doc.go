// Package ngtt is the order link of a SMOK device: one mutually authenticated TLS connection over which the hub sends
// orders and the device confirms them.
package ngtt
