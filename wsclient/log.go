//go:build !js

package wsclient

import (
	"context"
	"log/slog"
	"time"

	"github.com/fieldlink-go/fieldlink/errkit"
)

// module is the name of the module in logs.
const module = "wsclient"

func (m *Manager) logAttrs(level slog.Level, text string, attrs ...slog.Attr) {
	m.opts.Logger.LogAttrs(context.Background(), level, text, append(attrs, slog.String("module", module))...)
}

func (m *Manager) logConnected(s *session, info ConnectInfo) {
	m.logAttrs(slog.LevelInfo, "connected", slog.String("target", s.endpoint), slog.Uint64("gen", s.gen),
		slog.Int("attempt", info.Attempts), slog.Duration("downtime", info.Downtime))
}

func (m *Manager) logDisconnected(info CloseInfo) {
	attrs := []slog.Attr{
		slog.String("target", info.Endpoint), slog.Uint64("gen", info.Gen), slog.String("reason", info.Why.String()),
		slog.Int("code", info.Code), slog.Duration("uptime", info.Uptime),
	}
	if info.Err != nil {
		attrs = append(attrs, errkit.Attr(info.Err))
	}
	m.logAttrs(slog.LevelInfo, "disconnected", attrs...)
}

func (m *Manager) logAttemptFailed(a Attempt, err error, v verdict) {
	m.logAttrs(slog.LevelWarn, "attempt failed", slog.String("target", a.Endpoint), slog.Int("attempt", a.Number),
		slog.Duration("delay", v.delay.Round(time.Millisecond)), errkit.Attr(err))
}

func (m *Manager) logGiveUp(err error) {
	m.logAttrs(slog.LevelError, "gave up", slog.String("target", m.target), errkit.Attr(err))
}
