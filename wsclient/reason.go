//go:build !js

package wsclient

import "strconv"

// DisconnectReason says why a connection ended. A proactive end was wanted by this side; a reactive one was not.
type DisconnectReason int

// The reasons. The first seven are proactive, and so is ReasonNone of what never was connected.
const (
	ReasonNone              DisconnectReason = iota
	ReasonUserRequested                      // Disconnect, Reconnect or Close
	ReasonScheduled                          // a time that the owner had set
	ReasonCallbackTriggered                  // ControlOptions.ShouldDisconnect
	ReasonConnectionLimit                    // the connection reached its greatest age
	ReasonContextDone                        // the context of Run or Start ended
	ReasonShutdown                           // Shutdown

	ReasonServerClosed  // a close frame of the peer
	ReasonNetworkError  // the network: end of file, reset, an alert of TLS
	ReasonPingTimeout   // no byte arrived within PingTimeout after a ping
	ReasonProtocolError // the peer broke the protocol or sent a message above the limit
	ReasonKilled        // Kill
	ReasonIdleTimeout   // no message arrived within IdleTimeout
	ReasonSlowConsumer  // the consumer did not keep up
	ReasonWriteTimeout  // the peer took no bytes for WriteTimeout
)

var reasonNames = [...]string{
	ReasonNone:              "none",
	ReasonUserRequested:     "user_requested",
	ReasonScheduled:         "scheduled",
	ReasonCallbackTriggered: "callback_triggered",
	ReasonConnectionLimit:   "connection_limit",
	ReasonContextDone:       "context_done",
	ReasonShutdown:          "shutdown",
	ReasonServerClosed:      "server_closed",
	ReasonNetworkError:      "network_error",
	ReasonPingTimeout:       "ping_timeout",
	ReasonProtocolError:     "protocol_error",
	ReasonKilled:            "killed",
	ReasonIdleTimeout:       "idle_timeout",
	ReasonSlowConsumer:      "slow_consumer",
	ReasonWriteTimeout:      "write_timeout",
}

// String returns the name in lower case, such as "server_closed", fit for logs and labels of metrics.
func (r DisconnectReason) String() string {
	if r >= 0 && int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "reason " + strconv.Itoa(int(r))
}

// IsProactive reports whether this side wanted the end.
func (r DisconnectReason) IsProactive() bool { return r > ReasonNone && r <= ReasonShutdown }

// IsReactive is the opposite of IsProactive.
func (r DisconnectReason) IsReactive() bool { return !r.IsProactive() }
