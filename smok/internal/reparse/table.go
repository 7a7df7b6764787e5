package reparse

import "sort"

// point is a resistance in ohms and the temperature in degrees Celsius at which a sensor has it.
type point struct{ ohm, celsius float64 }

// pt100 is the resistance of platinum (IEC 60751) as the platform has it.
var pt100 = append(steps(-50, 5,
	80.31, 82.29, 84.27, 86.25, 88.22, 90.19, 92.16, 94.12, 96.09, 98.04, 100.0, 101.95, 103.9, 105.85, 107.79, 109.73,
	111.67, 113.61, 115.54, 117.47, 119.4, 121.32, 123.24, 125.16, 127.07, 128.98, 130.89, 132.8, 134.7, 136.6, 138.5,
	140.39, 142.29,
), point{157.31, 150}, point{175.84, 200}, point{195.84, 250})

// kty is that of the silicon sensor KTY81.
var kty = []point{
	{1136, -40},
	{1250, -20},
	{1372, -10},
	{1500, 0},
	{1634, 10},
	{1774, 20},
	{1922, 25},
	{2000, 30},
	{2078, 40},
	{2240, 50},
	{2410, 60},
	{2590, 70},
	{2780, 80},
	{2978, 90},
	{3182, 100},
	{3392, 110},
}

func steps(celsius, step float64, ohms ...float64) []point {
	points := make([]point, len(ohms), len(ohms)+3)
	for i, ohm := range ohms {
		points[i] = point{ohm, celsius + float64(i)*step}
	}
	return points
}

// pt1000 has ten times the resistance of pt100.
func pt1000(v Value) (Value, error) {
	ohm, err := v.float()
	switch {
	case err != nil:
		return Value{}, err
	case ohm/10 <= pt100[0].ohm:
		return ofInt(-50), nil
	case ohm/10 > pt100[len(pt100)-1].ohm:
		return ofInt(250), nil
	}
	return ofFloat(interpolate(pt100, ohm/10)), nil
}

// kty81 ends at 3276 ohms with 94.4 degrees, which is less than the table has there: so does the platform.
func kty81(v Value) (Value, error) {
	ohm, err := v.float()
	switch {
	case err != nil:
		return Value{}, err
	case ohm <= kty[0].ohm:
		return ofInt(-40), nil
	case ohm >= 3276:
		return ofFloat(94.4), nil
	}
	return ofFloat(interpolate(kty, ohm)), nil
}

// interpolate returns the temperature between two points. NaN stays NaN.
func interpolate(table []point, ohm float64) float64 {
	i := sort.Search(len(table)-1, func(i int) bool { return !(table[i].ohm < ohm) })
	if i == 0 || ohm == table[i].ohm {
		return table[i].celsius + (ohm - table[i].ohm)
	}
	low, high := table[i-1], table[i]
	return low.celsius + (ohm-low.ohm)*(high.celsius-low.celsius)/(high.ohm-low.ohm)
}
