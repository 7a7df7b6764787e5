// Package packet is the Socket.IO codec.
package packet
