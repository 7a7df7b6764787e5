package order

import "time"

// Tree returns sections as the hub writes them, for [FromTree] and for package minijson or encoding/json.
func Tree(sections []Section) []any {
	list := make([]any, 0, len(sections))
	for _, s := range sections {
		orders := make([]any, 0, len(s.Orders))
		for i := range s.Orders {
			orders = append(orders, s.Orders[i].tree())
		}
		disposition := int64(0)
		if s.CannotJoin {
			disposition = 1
		}
		list = append(list, map[string]any{keyOrders: orders, keyDisposition: disposition})
	}
	return list
}

func (o *Order) tree() map[string]any {
	m := map[string]any{keyType: string(o.Type)}
	switch o.Type {
	case Read:
		m[keyPath], m[keyAdvise] = o.Path, int64(o.Advise)
	case Write:
		m[keyPath], m[keyValue], m[keyAdvise] = o.Path, o.Value, int64(o.Advise)
		if !o.StaleAfter.IsZero() {
			m[keyStaleAfter] = seconds(o.StaleAfter)
		}
	case Wait:
		m[keyTime] = o.Wait.Seconds()
	case Message:
		m[keyUUID] = o.UUID
	case Sysctl:
		m[keyOpType], m[keyOpArgs] = o.OpType, o.OpArgs
	}
	return m
}

// seconds returns t in seconds since 1970: an integer if it is one.
func seconds(t time.Time) any {
	if t.Nanosecond() == 0 {
		return t.Unix()
	}
	return float64(t.UnixMicro()) / 1e6
}
