package smok

// open makes the areas, in the order in which they are loaded. The areas that others need come first. They are flushed
// and closed in the opposite order.
func (d *Device) open() {
	off := d.opts.Disable
	d.watch = add(d, newClockWatch(&d.host), false)
	d.values = add(d, newValues(&d.host), off.Pathpoints)
	d.points = add(d, newPoints(&d.host), off.Pathpoints)
	d.values.points, d.points.values = d.points, d.values
	d.info = add(d, newInfo(&d.host), false)
	d.writes = add(d, newWrites(&d.host), off.SensorWrites)
	d.sensors = add(d, newSensors(&d.host, d.points, d.writes), off.Sensors)
	d.events = add(d, newEvents(&d.host), off.Events)
	d.predicates = add(d, newPredicates(&d.host, d.info, d.events), off.Predicates)
	d.metadata = add(d, newMetadata(&d.host), off.Metadata)
	d.baobs = add(d, newBAOBs(&d.host), off.BAOBs)
	d.logs = add(d, newLogs(&d.host), off.Logs)
	d.watch.onStep(d.values.task.wake) // values may have got their times
	add(d, newArchives(&d.host, d.points, d.watch), off.Archives || off.Pathpoints)
	d.orders = add(d, newOrders(&d.host, d.reached), off.Orders)
	d.macros = add(d, newMacros(&d.host), off.Macros)
	d.watch.onStep(d.macros.stepped)
}

// add adds an area unless it is off. One that is off exists but does nothing.
func add[A area](d *Device, a A, off bool) A {
	if !off {
		d.areas = append(d.areas, a)
	}
	return a
}
