//go:build !linux && !js

package wsclient

import "time"

// setUserTimeout does nothing: other systems have no such option.
func setUserTimeout(uintptr, time.Duration) error { return nil }
