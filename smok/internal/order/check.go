package order

import "github.com/fieldlink-go/fieldlink/smok/internal/value"

// Check returns what is wrong with an order that the program made, or "" if nothing is.
func (o *Order) Check() (reason string) {
	switch o.Type {
	case Read, Write:
		if o.Path == "" || len(o.Path) > value.MaxPath {
			return "path is no name"
		}
		if o.Advise != Advised && o.Advise != Force {
			return "advise is neither Advised nor Force"
		}
		if o.Type == Write && o.Value == nil {
			return "a write has no value"
		}
	case Wait:
		if o.Wait < 0 || o.Wait > maxWait {
			return "wait is negative or longer than a week"
		}
	case Message:
		if o.UUID == "" || len(o.UUID) > maxName {
			return "uuid is no name"
		}
	case Sysctl:
		if o.OpType == "" || len(o.OpType) > maxName {
			return "op_type is no name"
		}
	default:
		return "unknown type"
	}
	return ""
}
