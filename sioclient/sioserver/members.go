package sioserver

import "slices"

// member is a namespace that the client has joined or asked for. Its socket is nil while the namespace is searched for.
type member struct {
	name   string
	socket *Socket
}

// Results of a claim.
const (
	claimed = iota
	claimTaken
	claimTooMany
	claimClosed
)

// claim keeps a place for a namespace, so that it is not asked for twice.
func (c *conn) claim(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return claimClosed
	case c.index(name) >= 0:
		return claimTaken
	case len(c.members) >= c.server.opts.MaxNamespaces:
		return claimTooMany
	}
	c.members = append(c.members, member{name: name})
	return claimed
}

// settle puts the socket into the place that was kept, unless the connection is gone.
func (c *conn) settle(name string, s *Socket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.index(name)
	if c.closed || i < 0 {
		return false
	}
	c.members[i].socket = s
	return true
}

// vacate gives up the place of a namespace that was not found. It reports false if the connection has given it up before:
// it ends, and with it the context of who was asked for the namespace.
func (c *conn) vacate(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.index(name)
	if i >= 0 {
		c.members = slices.Delete(c.members, i, i+1)
	}
	return i >= 0
}

// drop forgets a socket, unless another one has taken its place.
func (c *conn) drop(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.index(s.n.name); i >= 0 && c.members[i].socket == s {
		c.members = slices.Delete(c.members, i, i+1)
	}
}

func (c *conn) index(name string) int {
	for i := range c.members {
		if c.members[i].name == name {
			return i
		}
	}
	return -1
}

func (c *conn) find(name string) *Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.index(name); i >= 0 {
		return c.members[i].socket
	}
	return nil
}

// gone reports whether the connection is ending: nobody is let in any more, though sockets may not know it yet.
func (c *conn) gone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

func (c *conn) list() []member {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.members)
}
