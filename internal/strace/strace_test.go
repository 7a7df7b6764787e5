package strace_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/internal/cutdisk"
	"github.com/fieldlink-go/fieldlink/internal/leak"
	"github.com/fieldlink-go/fieldlink/internal/strace"
)

func TestMain(m *testing.M) { leak.Main(m) }

// sample is what strace 6.1 writes: the file a, made, written, synced, renamed to b and removed, by two threads.
const sample = `41 openat(AT_FDCWD, "\x2f\x65\x74\x63", O_RDONLY|O_CLOEXEC) = 3
41 mkdirat(3, "\x78", 0750)              = 0
41 close(3)                             = 0
41 mkdirat(AT_FDCWD, "\x64", 0750)      = 0
41 openat(AT_FDCWD, "\x64\x2f\x61", O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC, 0640) = 3
41 pwrite64(3, "\x68\x69\x21", 3, 512 <unfinished ...>
42 openat(AT_FDCWD, "\x6e\x6f\x74\x65\x73", O_WRONLY|O_CREAT|O_CLOEXEC, 0640 <unfinished ...>
41 <... pwrite64 resumed>)              = 2
42 <... openat resumed>)                = 4
42 write(4, "\x2e", 1)                  = 1
42 unlinkat(AT_FDCWD, "\x67\x6f\x6e\x65", 0) = -1 ENOENT (No such file or directory)
42 write(1, "\x6f\x6b", 2)              = 2
41 fsync(3)                             = 0
41 ftruncate(3, 1)                      = 0
41 renameat(AT_FDCWD, "\x64\x2f\x61", AT_FDCWD, "\x64\x2f\x62") = 0
41 openat(AT_FDCWD, "\x64", O_RDONLY|O_CLOEXEC) = 5
41 fsync(5)                             = 0
41 openat(AT_FDCWD, "\x64\x2f\x62", O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC, 0640) = 6
41 unlinkat(AT_FDCWD, "\x64\x2f\x62", 0) = 0
41 openat(AT_FDCWD, "\x2e", O_RDONLY|O_CLOEXEC) = 7
41 fsync(7)                             = 0
42 exit_group(0)                        = ?
42 +++ exited with 0 +++
`

func TestOps(t *testing.T) {
	t.Parallel()
	got, err := strace.Ops(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := []cutdisk.Op{
		{Kind: cutdisk.Mkdir, Name: "/d"},
		{Kind: cutdisk.Create, File: 1, Name: "/d/a"},
		{Kind: cutdisk.Write, File: 1, Off: 512, Data: []byte("hi")},
		{Kind: cutdisk.Note, Data: []byte(".")},
		{Kind: cutdisk.Sync, File: 1},
		{Kind: cutdisk.Truncate, File: 1, Off: 1},
		{Kind: cutdisk.Rename, File: 1, Name: "/d/a", To: "/d/b"},
		{Kind: cutdisk.SyncDir, Name: "/d"},
		{Kind: cutdisk.Truncate, File: 1},
		{Kind: cutdisk.Remove, File: 1, Name: "/d/b"},
		{Kind: cutdisk.SyncDir, Name: "/"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// TestUnknown: what the disk in memory does not model is not passed over.
func TestUnknown(t *testing.T) {
	t.Parallel()
	const open = `1 openat(AT_FDCWD, "\x61", O_RDWR|O_CREAT, 0640) = 3` + "\n"
	for _, line := range []string{
		`1 lseek(3, 5, SEEK_SET) = 5`,
		`1 write(3, "\x61", 2) = 2`,
		`1 openat(AT_FDCWD, "\x61", O_WRONLY|O_APPEND) = 4`,
		`1 pwrite64(3, "\x61", 1, 0 <unfinished ...>`,
		`1 writev(3, [{iov_base="\x61", iov_len=1}], 1) = 1`,
		`1 fallocate(3, 0, 0, 100) = 0`,
		`1 dup(3) = 4`,
		`1 pwrite64(3, "\x61"..., 2, 0) = 2`,
		`1 pwrite64(3, "\x61", 1, -5) = 1`,
		`1 truncate("\x61", 0) = 0`,
		`1 link("\x61", "\x62") = 0`,
		`1 rename("\x61", "\x2f\x62") = 0`,
		`1 rename("\x63", "\x62") = 0`,
		`1 unlink("\x63") = 0`,
		`1 openat(AT_FDCWD, "\x63", O_RDWR) = 4`,
		`1 sync() = 0`,
		`1 mkdirat(3, "\x61", 0750) = 0`,
	} {
		if ops, err := strace.Ops(strings.NewReader(open + line)); err == nil {
			t.Errorf("%s gives %v", line, ops)
		}
	}
}

// TestProcesses: the files of one process are those that the next one finds; its descriptors are not. A plain write goes
// behind the one before.
func TestProcesses(t *testing.T) {
	t.Parallel()
	first := `1 openat(AT_FDCWD, "\x61", O_RDWR|O_CREAT, 0640) = 3
1 write(3, "\x68\x69", 2) = 2
1 write(3, "\x21", 1) = 1
1 +++ killed by SIGKILL +++
`
	second := `2 write(3, "\x6f\x6b", 2) = 2
2 openat(AT_FDCWD, "\x61", O_RDWR) = 3
2 write(3, "\x48", 1) = 1
2 write(1, "\x48" <unfinished ...>
`
	got, err := strace.Ops(strings.NewReader(first), strings.NewReader(second))
	if err != nil {
		t.Fatal(err)
	}
	want := []cutdisk.Op{
		{Kind: cutdisk.Create, File: 1, Name: "/a"},
		{Kind: cutdisk.Write, File: 1, Data: []byte("hi")},
		{Kind: cutdisk.Write, File: 1, Off: 2, Data: []byte("!")},
		{Kind: cutdisk.Write, File: 1, Data: []byte("H")},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func FuzzOps(f *testing.F) {
	f.Add(sample)
	f.Add("1 <... fsync resumed>) = 0")
	f.Add(`1 openat(AT_FDCWD, "\x2e\x2e\x2f\x61", O_CREAT) = 9` + "\n1 ftruncate(9, 99999999999999999999) = 0")
	f.Fuzz(func(t *testing.T, text string) {
		ops, err := strace.Ops(strings.NewReader(text))
		for _, op := range ops {
			if err != nil || op.Off < 0 || op.File < 0 {
				t.Errorf("%v %v", op, err)
			}
		}
	})
}
