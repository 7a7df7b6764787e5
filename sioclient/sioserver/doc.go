// Package sioserver is a Socket.IO server.
package sioserver
