package smok

// open makes the areas, in the order in which they are loaded. The areas that others need come first. They are flushed
// and closed in the opposite order.
func (d *Device) open() {
	off := d.opts.Disable
	d.watch = add(d, newClockWatch(&d.host), false)
	d.values = add(d, newValues(&d.host), off.Pathpoints)
	d.points = add(d, newPoints(&d.host), off.Pathpoints)
	d.values.points, d.points.values = d.points, d.values
}

// add adds an area unless it is off. One that is off exists but does nothing.
func add[A area](d *Device, a A, off bool) A {
	if !off {
		d.areas = append(d.areas, a)
	}
	return a
}
