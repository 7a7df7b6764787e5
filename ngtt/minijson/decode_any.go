package minijson

import (
	"encoding/binary"
	"math"
	"math/big"
)

// any decodes a value of any kind.
func (d *decoder) any() (any, error) {
	if d.pos < len(d.b) && d.b[d.pos] >= tagString { // most values are short strings
		from := d.pos + 1
		to := from + int(d.b[d.pos]-tagString)
		if to <= len(d.b) && validBytes(d.b[from:to]) {
			d.pos = to
			return d.texts.make(d.b[from:to]), nil
		}
	}
	k, n, err := d.head()
	if err != nil {
		return nil, err
	}
	return d.anyOf(k, n)
}

func (d *decoder) anyOf(k kind, n uint32) (any, error) {
	switch k {
	case kindNull:
		return nil, nil
	case kindFalse, kindTrue:
		return k == kindTrue, nil
	case kindSigned, kindUnsigned:
		p, err := d.payload(k, n)
		if err != nil {
			return nil, err
		}
		if i, ok := smallInteger(k, p); ok {
			return i, nil
		}
		b := bigInteger(p)
		if b.IsUint64() {
			return b.Uint64(), nil
		}
		return b, nil
	case kindSingle, kindDouble:
		p, err := d.payload(k, n)
		if err != nil {
			return nil, err
		}
		return floatOf(p), nil
	case kindString:
		p, err := d.text(n)
		if err != nil {
			return nil, err
		}
		return d.texts.make(p), nil
	case kindBytes:
		p, err := d.payload(k, n)
		if err != nil {
			return nil, err
		}
		return append([]byte{}, p...), nil
	case kindList:
		return d.list(n)
	case kindObject:
		return d.object(n)
	default:
		return d.genericMap(n)
	}
}

// smallInteger returns the integer with the bytes p; ok is false if it is none of 64 bits.
func smallInteger(k kind, p []byte) (i int64, ok bool) {
	if len(p) == 1 && k == kindSigned {
		return int64(int8(p[0])), true
	}
	for len(p) > 8 && (p[0] == 0 && p[1] < 0x80 || p[0] == 0xFF && p[1] >= 0x80) {
		p = p[1:] // says no more than the sign of the next byte
	}
	if len(p) > 8 {
		return 0, false
	}
	var u uint64
	for _, c := range p {
		u = u<<8 | uint64(c)
	}
	if k == kindSigned && len(p) > 0 {
		shift := uint(64 - 8*len(p))
		return int64(u<<shift) >> shift, true
	}
	return int64(u), true
}

// bigInteger returns the integer with the bytes p, two's complement.
func bigInteger(p []byte) *big.Int {
	b := new(big.Int).SetBytes(p)
	if len(p) > 0 && p[0] >= 0x80 {
		b.Sub(b, new(big.Int).Lsh(big.NewInt(1), uint(8*len(p))))
	}
	return b
}

// floatOf returns the float with the bytes p, 4 or 8.
func floatOf(p []byte) float64 {
	if len(p) == 4 {
		return float64(math.Float32frombits(binary.BigEndian.Uint32(p)))
	}
	return math.Float64frombits(binary.BigEndian.Uint64(p))
}

func (d *decoder) list(n uint32) ([]any, error) {
	count, err := d.open(n, 1)
	if err != nil {
		return nil, err
	}
	list := make([]any, count)
	for i := range list {
		d.owed--
		if list[i], err = d.any(); err != nil {
			return nil, err
		}
	}
	d.depth--
	return list, nil
}

func (d *decoder) object(n uint32) (map[string]any, error) {
	count, err := d.open(n, 2)
	if err != nil {
		return nil, err
	}
	m := make(map[string]any, count)
	if err := d.addTo(m, count); err != nil {
		return nil, err
	}
	return m, nil
}

// addTo decodes the pairs of an object into the empty map m.
func (d *decoder) addTo(m map[string]any, count int) error {
	for i := range count {
		k, err := d.key()
		if err != nil {
			return err
		}
		at := d.at
		d.owed--
		v, err := d.any()
		if err != nil {
			return err
		}
		m[k] = v
		if d.opts.DisallowDuplicateKeys && len(m) != i+1 {
			d.at = at
			return d.fail(ReasonDuplicateKey)
		}
	}
	d.depth--
	return nil
}

// key reads the key of a pair of an object.
func (d *decoder) key() (string, error) {
	p, err := d.rawKey()
	if err != nil {
		return "", err
	}
	s, place := d.keys.find(p)
	if s != "" {
		return s, nil
	}
	if !validBytes(p) {
		return "", d.fail(ReasonUTF8)
	}
	if place == nil {
		return d.texts.make(p), nil
	}
	*place = string(p)
	return *place, nil
}
