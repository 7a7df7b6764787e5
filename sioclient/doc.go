// Package sioclient is a Socket.IO client.
package sioclient
