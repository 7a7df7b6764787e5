package main

import (
	"log/slog"
	"slices"

	"github.com/fieldlink-go/fieldlink/sioclient/engineio"
)

// echoPath is where Engine.IO messages come back.
const echoPath = "/engine.io/"

// transport returns the settings that both servers have in common.
func (set *settings) transport(path string, logger *slog.Logger) engineio.ServerOptions {
	o := engineio.ServerOptions{
		Path: path, PingInterval: set.pingInterval, PingTimeout: set.pingTimeout, UpgradeTimeout: set.upgradeTimeout,
		MaxPayload: set.maxPayload, Transports: set.transports, AllowEIO3: set.eio3,
		CORS: &engineio.CORS{AllowedOrigins: set.cors}, Logger: logger,
	}
	// Version 2 of the official client lets browsers send credentials along, and they want to be told that they may.
	o.CORS.Credentials = !slices.Contains(set.cors, "*")
	if set.cookie != "" {
		o.Cookie = &engineio.CookieOptions{Name: set.cookie}
	}
	return o
}

func newEcho(set *settings, logger *slog.Logger) (*engineio.Server, error) {
	o := set.transport(echoPath, logger)
	o.OnSession = func(s *engineio.Session) engineio.Handler { return &echo{s} }
	return engineio.NewServer(&o)
}

// echo gives a client its messages back.
type echo struct{ *engineio.Session }

// HandleMessage ends the session of a client that does not read its own words.
func (e *echo) HandleMessage(binary bool, data []byte) {
	msg := engineio.Text(data)
	if binary {
		msg = engineio.Binary(data)
	}
	if err := e.Send(msg); err != nil {
		e.Close(true)
	}
}

func (*echo) HandleClose(engineio.Reason, error) {}
