// Package smok is the client of a SMOK device: a program on a gateway that shows named, typed variables to the SMOK
// cloud, executes its orders, and keeps what it measured until the cloud has it.
package smok
