package packet

// Names that are kept so that they need not be allocated again.
const (
	maxNames   = 16
	maxNameLen = 64
)

// names keeps the strings that a peer repeats in every packet. The last ones stay; long ones are not kept.
type names struct {
	list []string
	next int // which one is replaced
}

func (n *names) get(b []byte) string {
	for _, s := range n.list {
		if s == string(b) {
			return s
		}
	}
	s := string(b)
	switch {
	case len(s) > maxNameLen:
	case len(n.list) < maxNames:
		n.list = append(n.list, s)
	default:
		n.list[n.next] = s
		n.next = (n.next + 1) % maxNames
	}
	return s
}
