package wserr_test

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"github.com/fieldlink-go/fieldlink/errkit"
	"github.com/fieldlink-go/fieldlink/errkit/errkittest"
	"github.com/fieldlink-go/fieldlink/wsclient/internal/wserr"
)

func TestSpoolErrors(t *testing.T) {
	boom := errors.New("boom")
	errkittest.Run(t, errkittest.Module{
		Base:    wserr.Err,
		Classes: []*errkit.Class{wserr.Err, wserr.ErrSpool, wserr.ErrSpoolClosed},
		Samples: []errkittest.Sample{
			{
				Name: "spool", Err: wserr.Spool("spool.write", "/var/log/1.seg", boom), Class: wserr.ErrSpool,
				Kinds: errkit.Internal, Types: []any{(*wserr.SpoolError)(nil)},
				Text: "wsclient: spool.write: disk log failed: /var/log/1.seg: boom",
				Build: func(target string, cause error) error {
					return wserr.Spool("spool.write", "/var/log/1.seg", cause)
				},
			},
			{
				Name: "closed", Err: wserr.SpoolClosed("spool.append"), Class: wserr.ErrSpoolClosed,
				Kinds: errkit.Closed | errkit.NotSent, Types: []any{(*errkit.Basic)(nil)},
				Text:  "wsclient: spool.append: disk log closed",
				Build: func(string, error) error { return wserr.SpoolClosed("spool.append") },
			},
		},
	})
}

func TestSpoolKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cause error
		want  errkit.Kind
	}{
		{syscall.ENOSPC, errkit.Full},
		{syscall.EDQUOT, errkit.Full},
		{syscall.EROFS, errkit.Denied},
		{syscall.EACCES, errkit.Denied},
		{syscall.EIO, errkit.Internal},
	} {
		err := wserr.Spool("spool.write", "x", &fs.PathError{Op: "write", Path: "x", Err: c.cause})
		if !errors.Is(err, c.want) || !errors.Is(err, c.cause) || !errors.Is(err, wserr.Err) {
			t.Errorf("%v: kinds %v", c.cause, errkit.KindOf(err))
		}
	}
}
