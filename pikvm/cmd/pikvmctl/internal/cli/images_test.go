package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fieldlink-go/fieldlink/pikvm/pikvmtest"
)

// imageFile writes a file of n bytes.
func imageFile(t *testing.T, n int) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(name, bytes.Repeat([]byte{7}, n), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestImages takes an image through its life.
func TestImages(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{MSD: pikvmtest.MSDOptions{
		Remotes: map[string]pikvmtest.RemoteImage{"http://server/net.iso": {Size: 4096}},
	}})
	u := at(t, device)
	file := imageFile(t, 5000)
	back := filepath.Join(t.TempDir(), "back.img")
	sum := fmt.Sprintf("%x", sha256.Sum256(bytes.Repeat([]byte{7}, 5000)))
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"msd", "upload", file, "--verify"}, "uploaded disk.img, 4.9 KiB\n"},
		{[]string{"msd", "upload", file, "--replace", "-o", "json"}, `{"image":"disk.img","size":5000}` + "\n"},
		{[]string{"msd", "fetch", "http://server/net.iso"}, "fetched net.iso, 4.0 KiB\n"},
		{[]string{"msd", "download", "disk.img", back}, back + ": 4.9 KiB, SHA-256 " + sum + "\n"},
		{
			[]string{"msd", "download", "disk.img", back, "-o", "json"},
			fmt.Sprintf(`{"image":"disk.img","file":%q,"size":5000,"sha256":%q}`+"\n", back, sum),
		},
		{[]string{"msd", "download", "disk.img", "-"}, strings.Repeat("\a", 5000)},
		{[]string{"msd", "mount", "net.iso", "--cdrom"}, "net.iso is a CD-ROM\n"},
		{[]string{"msd", "eject", "-o", "json"}, `{"connected":false,"image":"","cdrom":false,"writable":false}` + "\n"},
		{[]string{"msd", "mount", "disk.img", "--writable"}, "disk.img is a flash drive, writable\n"},
		{[]string{"msd", "reset"}, ""},
		{[]string{"msd", "rm", "disk.img", "net.iso"}, "removed disk.img\nremoved net.iso\n"},
		{[]string{"msd", "clean", "-o", "json"}, `{"removed":[]}` + "\n"},
	} {
		if d := cmp.Diff(step.want, u.does(step.args...)); d != "" {
			t.Errorf("%v (-want +got):\n%s", step.args[:2], d)
		}
	}
	if images := device.Images(); len(images) > 0 {
		t.Errorf("left on the device: %v", images)
	}
	if content, err := os.ReadFile(back); err != nil || len(content) != 5000 {
		t.Errorf("downloaded %d bytes, %v", len(content), err)
	}
	if err := device.PutIncompleteImage("broken.iso", 9); err != nil {
		t.Fatal(err)
	}
	if got := u.does("msd", "clean"); got != "removed broken.iso\n" {
		t.Errorf("clean printed %q", got)
	}
	u.fails(1, "msd", "download", "none.img", filepath.Join(t.TempDir(), "none.img"))
	u.fails(1, "msd", "mount", "none.img")
}

// TestDownloadFails leaves no part of a file, and what was there before stays.
func TestDownloadFails(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{})
	if err := device.PutImage("a.img", make([]byte, 1<<16)); err != nil {
		t.Fatal(err)
	}
	device.Inject(pikvmtest.Fault{Kind: pikvmtest.FaultTruncate, Path: "/api/msd/read", Bytes: 1000})
	dir := t.TempDir()
	target := filepath.Join(dir, "a.img")
	if err := os.WriteFile(target, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	at(t, device).fails(1, "msd", "download", "a.img", target)
	if text, err := os.ReadFile(target); err != nil || string(text) != "before" {
		t.Errorf("the file is %q now, %v", text, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// TestDownloadOver: a file that is there keeps its mode, a link stays one, and what is no file is not replaced by one.
func TestDownloadOver(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{})
	if err := device.PutImage("a.img", []byte("content")); err != nil {
		t.Fatal(err)
	}
	u := at(t, device)
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	target := link
	if err := os.Symlink(file, link); err != nil {
		target = file // there are no links here
	}
	u.does("msd", "download", "a.img", target)
	if text, err := os.ReadFile(file); err != nil || string(text) != "content" {
		t.Errorf("the file is %q, %v", text, err)
	}
	if after, err := os.Stat(file); err != nil || after.Mode() != before.Mode() {
		t.Errorf("mode %v, was %v, %v", after.Mode(), before.Mode(), err)
	}

	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Skipf("no sockets among files here: %v", err)
	}
	defer listener.Close()
	u.fails(1, "msd", "download", "a.img", socket)
	u.fails(1, "msd", "download", "a.img", dir)
	if now, err := os.Stat(socket); err != nil || now.Mode().IsRegular() {
		t.Errorf("the socket is %v, %v", now, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 3 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestUploadInterrupted: an interrupted upload leaves nothing on the device.
func TestUploadInterrupted(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	u := at(t, device)
	u.terminal = true
	var out bytes.Buffer
	bar := &interrupter{at: "disk.img", do: cancel}
	if code := run(ctx, u, &out, bar, "msd", "upload", imageFile(t, 64<<20)); code != 130 {
		t.Errorf("exit code %d, want 130\n%s", code, bar.text.String())
	}
	// The device removes the image when it sees that the connection is gone.
	for deadline := time.After(time.Minute); len(device.Images()) > 0; {
		select {
		case <-deadline:
			t.Fatalf("left on the device: %+v", device.Images())
		case <-time.After(time.Millisecond):
		}
	}
}

// interrupter calls a function when a text is written for the first time.
type interrupter struct {
	text bytes.Buffer
	at   string
	do   func()
}

func (i *interrupter) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(i.at)) {
		i.do()
	}
	return i.text.Write(p)
}

// TestProgress shows a bar to somebody who watches, and to nobody else.
func TestProgress(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{})
	u := at(t, device)
	file := imageFile(t, 1<<20)
	if r := u.runs("msd", "upload", file); r.err != "" {
		t.Errorf("nobody watches, and stderr has %q", r.err)
	}
	u.terminal = true
	for _, args := range [][]string{
		{"msd", "upload", file, "--replace"},
		{"msd", "download", "disk.img", filepath.Join(t.TempDir(), "disk.img")},
	} {
		r := u.runs(args...)
		if r.code != 0 || !strings.Contains(r.err, "disk.img") || !strings.Contains(r.err, "0% |") {
			t.Errorf("%v: exit code %d, no bar: %q", args, r.code, r.err)
		}
		if strings.Contains(r.out, "% |") {
			t.Errorf("%v: the bar is on stdout: %q", args, r.out)
		}
	}
}

// TestStorageAway: a device without its storage says so.
func TestStorageAway(t *testing.T) {
	t.Parallel()
	device := start(t, pikvmtest.Options{MSD: pikvmtest.MSDOptions{Offline: true}})
	u := at(t, device)
	if got := u.does("msd"); got != "the storage is away\n" {
		t.Errorf("printed %q", got)
	}
	var state map[string]json.RawMessage
	if err := json.Unmarshal([]byte(u.does("msd", "-o", "json")), &state); err != nil {
		t.Fatal(err)
	}
	if string(state["drive"]) != "null" || string(state["images"]) != "[]" {
		t.Errorf("state %v", state)
	}
	u.fails(1, "msd", "mount", "a.img")
}
