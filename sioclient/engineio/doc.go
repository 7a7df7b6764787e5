// Package engineio speaks Engine.IO, the transport below Socket.IO.
package engineio
