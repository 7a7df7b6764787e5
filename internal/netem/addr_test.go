package netem

import "testing"

// TestDialerAddr shows that diallers can be told apart, also when there are more than one host has ports for.
func TestDialerAddr(t *testing.T) {
	t.Parallel()
	const links = 70_000
	seen := make(map[string]bool, links)
	for id := range links {
		seen[dialerAddr(id+1).String()] = true
	}
	if len(seen) != links {
		t.Errorf("%d links have %d addresses", links, len(seen))
	}
	if !seen["10.0.0.1:49152"] {
		t.Error("the first address is not 10.0.0.1:49152")
	}
}
