package errortree_test

import (
	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/ngtt/minijson"
)

// minijsonTree is a part of the tree of ngtt.
var minijsonTree = tree{
	pkg:  "ngtt/minijson",
	base: minijson.Err,
	classes: map[string]*errkit.Class{
		"Err":         minijson.Err,
		"ErrDecoding": minijson.ErrDecoding,
		"ErrEncoding": minijson.ErrEncoding,
		"ErrLimit":    minijson.ErrLimit,
		"ErrStream":   minijson.ErrStream,
		"ErrTarget":   minijson.ErrTarget,
	},
	samples: []errkittest.Sample{
		sample("encoding", errkit.Invalid|errkit.NotSent, "ngtt: op: cannot encode: out of range T at .a",
			func(_ string, cause error) error {
				return &minijson.EncodingError{
					Info: info(minijson.ErrEncoding, "op", "", cause), Path: ".a", Reason: minijson.ReasonRange, Type: "T",
				}
			}, (*minijson.EncodingError)(nil)),
		decoding("decoding", minijson.ErrDecoding, 0, minijson.ReasonTruncated),
		decoding("limit", minijson.ErrLimit, errkit.TooLarge, minijson.ReasonDepth),
		sample("target", errkit.Invalid, "ngtt: op: cannot decode into this", func(_ string, cause error) error {
			return minijson.ErrTarget.Wrap("op", "", cause)
		}, (*errkit.Basic)(nil)),
		sample("stream", 0, "ngtt: op: stream failed", func(_ string, cause error) error {
			return minijson.ErrStream.Wrap("op", "", cause)
		}, (*errkit.Basic)(nil)),
	},
}

// decoding returns a sample of a class that a DecodingError carries.
func decoding(name string, class *errkit.Class, kinds errkit.Kind, reason minijson.Reason) errkittest.Sample {
	return sample(name, errkit.Protocol|kinds, "ngtt: op: cannot decode: "+string(reason)+" at offset 3, tag 0x07",
		func(_ string, cause error) error {
			return &minijson.DecodingError{Info: info(class, "op", "", cause), Offset: 3, Tag: 7, Reason: reason}
		}, (*minijson.DecodingError)(nil))
}
