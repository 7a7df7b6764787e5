// Package pikvm is a client for PiKVM, the open KVM over IP.
package pikvm
