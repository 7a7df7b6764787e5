package errkit

// CloseKind returns the kinds of a WebSocket close code (RFC 6455, section 7.4, and the registry of IANA).
// [Disconnected] is always among them.
func CloseKind(code int) Kind {
	switch code {
	case 1000, 1005:
		return Disconnected
	case 1001, 1012, 1014:
		return Disconnected | Unavailable
	case 1002, 1004, 1007:
		return Disconnected | Protocol
	case 1003, 1010:
		return Disconnected | Unsupported
	case 1006, 1015:
		return Disconnected | Connection
	case 1008, 3003:
		return Disconnected | Denied
	case 1009:
		return Disconnected | TooLarge
	case 1011:
		return Disconnected | Internal
	case 1013:
		return Disconnected | Unavailable | Busy
	case 3000:
		return Disconnected | Auth
	case 3008:
		return Disconnected | Timeout
	}
	if code >= 3000 && code <= 4999 {
		return Disconnected
	}
	return Disconnected | Protocol
}
