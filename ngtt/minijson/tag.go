package minijson

// Tags of values. Numbers follow neither width nor kind: mapU32 comes before mapU8.
const (
	tagStringU8  = 0x00
	tagInt32     = 0x01
	tagInt16     = 0x02
	tagInt8      = 0x03
	tagUint32    = 0x04
	tagUint16    = 0x05
	tagUint8     = 0x06
	tagListU8    = 0x07
	tagNull      = 0x08
	tagSingle    = 0x09
	tagDouble    = 0x0A
	tagObjectU8  = 0x0B
	tagUint24    = 0x0C
	tagStringU16 = 0x0D
	tagStringU32 = 0x0E
	tagListU16   = 0x0F
	tagListU32   = 0x10
	tagObjectU16 = 0x11
	tagObjectU32 = 0x12
	tagMapU32    = 0x13
	tagMapU8     = 0x14
	tagMapU16    = 0x15
	tagTrue      = 0x16
	tagFalse     = 0x17
	tagInteger   = 0x18
	tagBytesU8   = 0x19
	tagBytesU16  = 0x1A
	tagBytesU32  = 0x1B
	tagList      = 0x40 // to 0x4F, with the count
	tagObject    = 0x50 // to 0x5F, with the count
	tagMap       = 0x60 // to 0x6F, with the count
	tagString    = 0x80 // to 0xFF, with the length
)

// kind is what a value is.
type kind uint8

const (
	kindUnknown kind = iota // no value: the tag is not assigned
	kindNull
	kindFalse
	kindTrue
	kindSigned   // two's complement
	kindUnsigned // shorter than 8 bytes
	kindSingle
	kindDouble
	kindString
	kindBytes
	kindList
	kindObject
	kindMap
)

// scalar reports whether a value of this kind may be a key of a map.
func (k kind) scalar() bool { return k < kindList }

// form is what a tag says of its value.
type form struct {
	kind  kind
	width uint8 // bytes of the length field after the tag
	n     uint8 // without such a field: length of the payload in bytes, or number of elements
}

// forms holds the form of every tag.
var forms = makeForms()

func makeForms() (t [256]form) {
	t[tagNull], t[tagTrue], t[tagFalse] = form{kind: kindNull}, form{kind: kindTrue}, form{kind: kindFalse}
	t[tagInt8], t[tagInt16], t[tagInt32] = form{kindSigned, 0, 1}, form{kindSigned, 0, 2}, form{kindSigned, 0, 4}
	t[tagUint8], t[tagUint16] = form{kindUnsigned, 0, 1}, form{kindUnsigned, 0, 2}
	t[tagUint24], t[tagUint32] = form{kindUnsigned, 0, 3}, form{kindUnsigned, 0, 4}
	t[tagInteger] = form{kindSigned, 1, 0}
	t[tagSingle], t[tagDouble] = form{kindSingle, 0, 4}, form{kindDouble, 0, 8}
	t[tagStringU8], t[tagStringU16], t[tagStringU32] = form{kindString, 1, 0}, form{kindString, 2, 0}, form{kindString, 4, 0}
	t[tagBytesU8], t[tagBytesU16], t[tagBytesU32] = form{kindBytes, 1, 0}, form{kindBytes, 2, 0}, form{kindBytes, 4, 0}
	t[tagListU8], t[tagListU16], t[tagListU32] = form{kindList, 1, 0}, form{kindList, 2, 0}, form{kindList, 4, 0}
	t[tagObjectU8], t[tagObjectU16], t[tagObjectU32] = form{kindObject, 1, 0}, form{kindObject, 2, 0}, form{kindObject, 4, 0}
	t[tagMapU8], t[tagMapU16], t[tagMapU32] = form{kindMap, 1, 0}, form{kindMap, 2, 0}, form{kindMap, 4, 0}
	for n := range uint8(16) {
		t[tagList|n], t[tagObject|n], t[tagMap|n] = form{kindList, 0, n}, form{kindObject, 0, n}, form{kindMap, 0, n}
	}
	for n := range uint8(128) {
		t[tagString|n] = form{kindString, 0, n}
	}
	return t
}
