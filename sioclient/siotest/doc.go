// Package siotest has peers for the tests of programs that use Socket.IO.
package siotest
